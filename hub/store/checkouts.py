"""Checkout: stock, coupons and points of one order, held together or not at all.

A checkout is no thing of its own: it is the reservation, the coupon reservations and the hold of
points of one order, decided in one transaction. Committing makes the sale of all of them, releasing
lets go of all. What each part does is with its noun.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from msgspec import Struct
from msgspec.structs import replace

from hub.domain import coupon_quotes, coupon_rights, ids
from hub.domain.coupon_codes import normalise_code
from hub.domain.coupon_quotes import Quote
from hub.domain.decisions import Decision
from hub.domain.distance import Point
from hub.domain.ids import Key
from hub.domain.order_data import OrderName
from hub.domain.supply import Wish
from hub.errors import Refused
from hub.store import commands, coupon_commands, log, reservations, spending, supply
from hub.store.coupon_commands import Counter, Standing
from hub.store.db import Connection, queries
from hub.store.reservations import Slot, Wanted
from hub.store.sealing import Vault
from hub.store.wallets import Wallet, ending, now, open_wallet


class Amount(Struct, frozen=True):
    """What the order comes to before its coupons, in minor units."""

    minor: int
    currency: str


class Basket(Struct, frozen=True):
    """What an order wants: items at a place, coupons by code, points of an account."""

    order: OrderName
    account: str | None
    place: str | None
    items: Sequence[tuple[str, int]]
    coupons: Sequence[str]
    points: int
    amount: Amount | None
    length: timedelta
    slot: Slot | None = None
    near: Point | None = None

    @property
    def counter(self) -> Counter:
        return Counter(self.order.channel, self.order.shop, self.account)


class Opened(Struct, frozen=True):
    """A checkout that was opened: until when it holds, and what each coupon is worth."""

    expires_at: datetime
    worth: dict[str, Quote]
    place: str | None


async def start(connection: Connection, vault: Vault, basket: Basket) -> Opened:
    """Hold all that the basket wants, or nothing. Raises `Refused`, `CouponUnknown`."""
    order = basket.order
    if basket.place is None:
        wish = Wish(basket.slot is not None, basket.near)
        place = await supply.choose_place(connection, order, basket.items, wish)
        basket = replace(basket, place=place)
    spend_id = ids.spend_id(order.channel, order.shop, order.order_number)
    claimed = [order.key, spend_id, *_coupon_keys(basket.coupons)]
    wallet: Wallet | None = None
    if basket.points:
        wallet = await open_wallet(connection, _points(basket).profile_id, claimed)
        at = wallet.at
    else:
        await log.claim(connection, claimed)
        at = await now(connection)
    expires_at = at + basket.length
    held = Wanted(basket.place, basket.items, expires_at, basket.slot)
    standings = await _standings(connection, basket)
    worth = _quotes(basket, standings)
    wanted = _holding(basket, wallet, worth, expires_at) if wallet is not None else []
    wanted.append(reservations.creating(order, held))
    wanted += [_reserving(basket, one, expires_at) for one in standings]
    await commands.run(connection, vault, wanted, at)
    return Opened(expires_at, worth, held.place)


async def commit(connection: Connection, vault: Vault, order: OrderName) -> None:
    """Make the sale of all that is held; refused if any part is over."""
    parts = await _parts(connection, order)
    if any(part["is_over"] for part in parts):
        raise Refused("checkout_over", "what was held for this order is free again: begin anew")
    await commands.run(connection, vault, [_committing(order, part) for part in parts])


async def release(connection: Connection, vault: Vault, order: OrderName) -> None:
    """Let go of all that is still held."""
    parts = await _parts(connection, order)
    held = [_releasing(order, part) for part in parts if not part["is_over"]]
    await commands.run(connection, vault, held)


async def _parts(connection: Connection, order: OrderName) -> list[Any]:
    """What was held for the order and not ended by anybody, all of it claimed."""
    spend_id = ids.spend_id(order.channel, order.shop, order.order_number)
    named = (order.key, spend_id, order.channel, order.shop, order.order_number)
    parts = await connection.fetch(queries("checkouts")["parts"], *named)
    coupons = _coupon_keys(part["name"] for part in parts if part["part"] == "coupon")
    await log.claim(connection, [order.key, spend_id, *coupons])
    # Somebody else may have ended it while this one waited.
    parts = await connection.fetch(queries("checkouts")["parts"], *named)
    if not any(part["part"] == "stock" for part in parts):
        raise Refused("checkout_unknown", "nothing is held for this order")
    return parts


def _coupon_keys(codes: Iterable[str]) -> list[Key]:
    return [ids.coupon_id(normalise_code(code)) for code in codes]


def _points(basket: Basket) -> spending.Asked:
    if basket.account is None:
        raise Refused("account_missing", "points are of an account: name it")
    order = basket.order
    return spending.Asked(
        order.channel, order.shop, basket.account, order.order_number, basket.points
    )


def _holding(
    basket: Basket, wallet: Wallet, worth: Mapping[str, Quote], expires_at: datetime
) -> list[Decision]:
    """The decisions that set the basket's points aside, as far as they may pay for it."""
    bill = None
    if basket.amount is not None:
        bill = coupon_quotes.bill(basket.amount.minor, basket.amount.currency, worth.values())
    data = {
        "shares": wallet.shares(basket.points, bill),
        "hold_id": str(uuid4()),
        "expires_at": expires_at,
    }
    return [*wallet.due, _points(basket).decision("hold.placed", **data)]


async def _standings(connection: Connection, basket: Basket) -> list[Standing]:
    """How the coupons stand, if all may be used by whom they are asked for."""
    if not basket.coupons:
        return []
    found = await coupon_commands.known(connection, basket.counter, basket.coupons)
    for one in found:
        refusal = coupon_rights.refuse_use(one.rights, names_account=basket.account is not None)
        if refusal is not None:
            raise Refused(refusal[0], refusal[1], coupon=one.offer.code)
    return found


def _quotes(basket: Basket, standings: Sequence[Standing]) -> dict[str, Quote]:
    """What each coupon is worth to the order; refused if one does not fit it or the others."""
    if not standings:
        return {}
    if basket.amount is None:
        raise Refused("amount_missing", "what coupons are worth depends on the order's amount")
    offers = [one.offer for one in standings]
    quotes = coupon_quotes.together(offers, basket.amount.minor, basket.amount.currency)
    worth = {offer.code: quote for offer, quote in zip(offers, quotes, strict=True)}
    for code, quote in worth.items():
        if quote.obstacles:
            reason = f"coupon {code} does not fit this order: {quote.obstacles[0]}"
            raise Refused("coupon_unfit", reason, coupon=code, cause=quote.obstacles[0])
    return worth


def _reserving(basket: Basket, standing: Standing, expires_at: datetime) -> Decision:
    order = basket.order
    data = {
        "code": standing.offer.code,
        "reservation_id": order.order_number,
        "order_number": order.order_number,
        "place": basket.place,
        "expires_at": expires_at,
    }
    if basket.account is not None:
        data["account"] = basket.account
    return Decision("coupon.reserved", order.channel, order.shop, standing.offer.code, data)


def _committing(order: OrderName, part: Any) -> Decision:
    match part["part"]:
        case "stock":
            return reservations.ended("reservation.committed", order)
        case "points":
            return ending("hold.captured", _hold(order, part), part["points"])
    data = {
        "code": part["name"],
        "redemption_id": order.order_number,
        "reservation_id": part["reservation_id"],
        "order_number": order.order_number,
    }
    beside = {"place": part["place"], "account": part["account"]}
    data |= {name: value for name, value in beside.items() if value is not None}
    return Decision("coupon.redeemed", order.channel, order.shop, part["name"], data)


def _releasing(order: OrderName, part: Any) -> Decision:
    match part["part"]:
        case "stock":
            return reservations.ended("reservation.released", order)
        case "points":
            return ending("hold.voided", _hold(order, part))
    data = {"code": part["name"], "reservation_id": part["reservation_id"]}
    return Decision("coupon.released", order.channel, order.shop, part["name"], data)


def _hold(order: OrderName, part: Any) -> dict[str, str]:
    return {
        "hold_id": part["name"],
        "channel": order.channel,
        "shop": order.shop,
        "order_number": order.order_number,
    }
