"""Checkout: stock, coupons and points of one order, together or not at all."""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, Field

from hub.domain import ids, money
from hub.domain.order_data import OrderName
from hub.store import checkouts, reservations
from hub.store.checkouts import Amount, Basket
from hub.store.commands import Answer, Asked
from hub.store.coupon_commands import CouponUnknown
from hub.store.keys import ApiKey
from hub.store.sealing import Vault
from hub_api import commands, requests
from hub_api.amounts import amount
from hub_api.commands import IdempotencyKey
from hub_api.keyring import Needs
from hub_api.problems import Fault, Problem
from hub_api.resources import Held, Resources
from hub_api.routes.points import POINTS_MAX
from hub_api.routes.reservations import Name, NewReservation, milli_of, order_of

router = APIRouter(prefix="/v1/checkouts", tags=["checkouts"])
Seller = Annotated[ApiKey, Depends(Needs("checkouts:write"))]
COUPONS_MAX = 20


class NewCheckout(NewReservation):
    """What the order wants. `amount`: what it comes to before its coupons, if it has any."""

    account: Name | None = None
    coupons: Annotated[list[Name], Field(max_length=COUPONS_MAX, default_factory=list)]
    points: Annotated[int, Field(ge=0, le=POINTS_MAX, strict=True)] = 0
    amount: Annotated[str | None, Field(min_length=1, max_length=24, examples=["168.00"])] = None
    currency: Annotated[str | None, Field(pattern=r"^[A-Z]{3}$")] = None


class Worth(BaseModel):
    """What a coupon takes off the price, or pays (`is_tender`)."""

    code: str
    amount: str
    is_tender: bool


class Checkout(BaseModel):
    """A checkout as it is now."""

    checkout_id: str = Field(description="It is the order's id as well")
    status: str = Field(description="held, committed or released")
    place: str | None = Field(None, description="Where the goods are held")
    expires_at: datetime | None = None
    coupons: list[Worth] = []


@router.post("", status_code=201, openapi_extra=requests.schema_of(NewCheckout))
async def start(
    request: Request, key: Seller, held: Held, idempotency_key: IdempotencyKey
) -> Checkout:
    """Hold stock, coupons and points of an order for `ttl_s` seconds, all of it or nothing.

    409 names what stands in the way: an item that is short, a coupon that does not fit, points.
    """
    wanted = await requests.read(request, held, NewCheckout)
    held.keyring.refuse_guessing(key, "coupon")
    basket = _basket(key, wanted)
    asked = commands.asked(request, key, idempotency_key, wanted)

    async def work(connection: Any) -> Answer:
        opened = await checkouts.start(connection, held.vault, basket)
        worth = [
            {
                "code": code,
                "amount": amount(quote.amount_minor, wanted.currency or ""),
                "is_tender": quote.is_tender,
            }
            for code, quote in opened.worth.items()
        ]
        opened_for = {"expires_at": opened.expires_at, "place": opened.place}
        return _answer(basket.order, "held") | opened_for | {"coupons": worth}

    try:
        return Checkout.model_validate(await commands.run(held, asked, work))
    except CouponUnknown:
        held.keyring.miss(key, "coupon")
        raise Problem("not-found") from None


@router.post("/{checkout_id}/commit")
async def commit(
    request: Request, checkout_id: UUID, key: Seller, held: Held, idempotency_key: IdempotencyKey
) -> Checkout:
    """The sale is made: goods committed, coupons redeemed, points spent. The order's own events
    confirm it, now or before. 409 if any part was let go meanwhile; nothing is taken then."""
    asked = commands.asked(request, key, idempotency_key, None)
    return await _end(held, key, asked, (checkout_id, "committed", checkouts.commit))


@router.post("/{checkout_id}/release")
async def release(
    request: Request, checkout_id: UUID, key: Seller, held: Held, idempotency_key: IdempotencyKey
) -> Checkout:
    """Let go of all that is held, for others to buy and to be used again."""
    asked = commands.asked(request, key, idempotency_key, None)
    return await _end(held, key, asked, (checkout_id, "released", checkouts.release))


Ending = tuple[UUID, str, Callable[[Any, Vault, OrderName], Awaitable[None]]]


async def _end(held: Resources, key: ApiKey, asked: Asked, ending: Ending) -> Checkout:
    checkout_id, status, command = ending

    async def work(connection: Any) -> Answer:
        order = await reservations.order_of(connection, checkout_id.bytes)
        if order is None or key.channel not in (None, order.channel):
            raise Problem("not-found")
        await command(connection, held.vault, order)
        return _answer(order, status)

    return Checkout.model_validate(await commands.run(held, asked, work))


def _basket(key: ApiKey, wanted: NewCheckout) -> Basket:
    return Basket(
        order=order_of(key, wanted),
        account=wanted.account,
        place=wanted.place,
        items=[(item.sku, milli_of(i, item)) for i, item in enumerate(wanted.items)],
        coupons=wanted.coupons,
        points=wanted.points,
        amount=_amount(wanted),
        length=timedelta(seconds=wanted.ttl_s),
        slot=wanted.slot(),
        near=wanted.point(),
    )


def _amount(wanted: NewCheckout) -> Amount | None:
    if wanted.amount is None:
        return None
    if wanted.currency is None:
        raise Problem("invalid", [Fault("currency", "an amount needs its currency")])
    try:
        minor = money.minor(wanted.amount, wanted.currency)
    except money.BadNumber as bad:
        raise Problem("invalid", [Fault("amount", str(bad))]) from None
    if minor < 0:
        raise Problem("invalid", [Fault("amount", "it is below 0")])
    return Amount(minor, wanted.currency)


def _answer(order: OrderName, status: str) -> Answer:
    return {"checkout_id": ids.text(order.key), "status": status}
