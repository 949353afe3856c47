"""What an order would cost a member: prices of the level, coupons that fit and why others don't,
and how far points may pay. Writes and locks nothing.

Coupons and points are told by the same functions as a checkout's (`hub.domain.coupon_quotes`,
`hub.store.wallets`), so what is quoted is what a checkout takes, unless somebody else was faster.
"""

from collections.abc import Sequence
from typing import Any

from msgspec import Struct

from hub.domain import coupon_quotes, price_lists
from hub.domain.coupon_quotes import Offer, Quote
from hub.domain.earning import Bill, Redeeming
from hub.domain.ids import Key
from hub.domain.price_lists import PriceList
from hub.errors import Refused
from hub.store import configs, coupon_commands, points_rules, wallets
from hub.store.coupon_commands import Counter, Standing
from hub.store.db import Connection, queries
from hub.store.reads import coupons, members, tiers
from hub.store.reads.viewer import Viewer
from hub.store.wallets import Wallet

WALLET_COUPONS_MAX = 100
MILLI = 1000


class Line(Struct, frozen=True):
    """So many thousandths of an item, at the channel's plain price of one."""

    sku: str
    milli: int
    unit_minor: int | None = None


class Basket(Struct, frozen=True):
    """What is asked about. amount_minor: what the order comes to before coupons; None for the sum
    of its lines at the member's prices. shows_wallet: whether coupons nobody named are told too."""

    counter: Counter
    lines: Sequence[Line]
    currency: str
    amount_minor: int | None
    coupons: Sequence[str]
    points: int
    shows_wallet: bool


class Priced(Struct, frozen=True):
    """A line at the member's price, of one and of all."""

    line: Line
    member_minor: int
    total_minor: int


class Offered(Struct, frozen=True):
    """A coupon beside those that are to be used; obstacles: codes of why it does not fit."""

    offer: Offer
    is_chosen: bool
    quote: Quote
    obstacles: Sequence[str]


class Points(Struct, frozen=True):
    """What the member has, how many of them this order may take, and what these pay, if the rule
    says so; refusal: why it can't be as many as were asked for."""

    available: int
    most: int
    most_pay_minor: int | None
    pay_minor: int | None
    redeeming: Redeeming
    refusal: tuple[str, str] | None


class Quoted(Struct, frozen=True):
    """The answer. bill: with the chosen coupons that fit."""

    priced: Sequence[Priced]
    amount_minor: int
    levels: Sequence[dict[str, Any]]
    offered: Sequence[Offered]
    bill: Bill
    points: Points


class _Person(Struct, frozen=True):
    """Who asks, as far as the viewer may see; profile None: nobody, or nobody the hub knows."""

    profile: Key | None
    visible: Sequence[Key]
    levels: Sequence[dict[str, Any]]


async def quote(connection: Connection, viewer: Viewer, basket: Basket) -> Quoted:
    """The quote. Raises `CouponUnknown` where a named coupon does not exist, `Refused` where there
    is no amount."""
    person = await _person(connection, viewer, basket.counter)
    priced = await _priced(connection, basket, person)
    amount_minor = basket.amount_minor
    if amount_minor is None:
        amount_minor = sum(one.total_minor for one in priced)
    offered = await _offered(connection, basket, person, amount_minor)
    worth = [one.quote for one in offered if one.is_chosen and not one.obstacles]
    bill = coupon_quotes.bill(amount_minor, basket.currency, worth)
    points = await _points(connection, viewer, basket, person, bill)
    return Quoted(priced, amount_minor, person.levels, offered, bill, points)


async def _person(connection: Connection, viewer: Viewer, counter: Counter) -> _Person:
    if counter.profile_id is None:
        return _Person(None, (), ())
    found = await members.holder_of_profile(connection, viewer, counter.profile_id)
    if not found:
        return _Person(None, (), ())
    member_id = found[0]["member_id"]
    profiles = await members.profiles(connection, viewer, member_id)
    levels = await tiers.of_member(connection, viewer, member_id)
    return _Person(counter.profile_id, [one["profile_id"] for one in profiles], levels)


async def _priced(connection: Connection, basket: Basket, person: _Person) -> list[Priced]:
    """The lines that have a price, at the best of the member's."""
    at = await wallets.now(connection)
    names = {level["price_list"] for level in person.levels if level["price_list"] is not None}
    lists: list[PriceList] = [
        found
        for name in sorted(names)
        if (found := await configs.one(connection, price_lists.KIND, name, at)) is not None
    ]
    priced = []
    for line in basket.lines:
        if line.unit_minor is None:
            continue
        prices = [one.price_minor(line.sku, line.unit_minor, basket.currency) for one in lists]
        price = min([line.unit_minor, *prices])
        priced.append(Priced(line, price, (price * line.milli + MILLI // 2) // MILLI))
    return priced


async def _offered(
    connection: Connection, basket: Basket, person: _Person, amount_minor: int
) -> list[Offered]:
    chosen = await coupon_commands.known(connection, basket.counter, basket.coupons)
    others: list[Standing] = []
    if basket.shows_wallet and person.visible:
        codes = await coupons.wallet(connection, list(person.visible), WALLET_COUPONS_MAX)
        named = {one.offer.code for one in chosen}
        left = [code for code in codes if code not in named]
        others = await coupon_commands.known(connection, basket.counter, left)
    spent = await _spent(connection, basket.counter, [*chosen, *others])
    offers = [one.offer for one in chosen]

    def told(one: Standing, quote: Quote, *, is_chosen: bool) -> Offered:
        found = one.obstacles(names_account=basket.counter.account is not None)
        if one.coupon_id in spent:
            found.append("once_per_person")
        obstacles = tuple(dict.fromkeys([*found, *quote.obstacles]))
        return Offered(one.offer, is_chosen, quote, obstacles)

    quotes = coupon_quotes.together(offers, amount_minor, basket.currency)
    offered = [told(one, quote, is_chosen=True) for one, quote in zip(chosen, quotes, strict=True)]
    for one in others:
        *_, quote = coupon_quotes.together([*offers, one.offer], amount_minor, basket.currency)
        offered.append(told(one, quote, is_chosen=False))
    return offered


async def _spent(
    connection: Connection, counter: Counter, standings: Sequence[Standing]
) -> set[Key]:
    """Those coupons of which whoever would use them has used the one that a person may."""
    by_person: dict[Key, list[Standing]] = {}
    for one in standings:
        person = counter.profile_id or one.holder_id
        if person is not None and one.offer.terms.once_per_person and one.offer.template:
            by_person.setdefault(person, []).append(one)
    spent: set[Key] = set()
    for person, listed in by_person.items():
        rows = await connection.fetch(queries("wallets")["profiles"], person)
        profiles = [row["profile_id"] for row in rows]
        used = await connection.fetch(queries("coupons")["used_by_persons"], profiles)
        live = {(row["template"], row["coupon_id"]) for row in used if row["is_live"]}
        spent |= {
            one.coupon_id
            for one in listed
            if any(t == one.offer.template and c != one.coupon_id for t, c in live)
        }
    return spent


async def _points(
    connection: Connection, viewer: Viewer, basket: Basket, person: _Person, bill: Bill
) -> Points:
    wallet: Wallet | None = None
    redeeming = (await points_rules.load(connection)).at(await wallets.now(connection)).redeeming
    if person.profile is not None:
        wallet = await wallets.look_into(connection, person.profile)
        redeeming = wallet.redeeming
    available = _shown(viewer, wallet, person) if wallet is not None else 0
    most = redeeming.most(available, bill)
    refusal: tuple[str, str] | None = None
    if basket.points:
        refusal = _refusal(basket, wallet, bill)
    return Points(
        available,
        most,
        redeeming.worth_minor(most, bill.currency),
        redeeming.worth_minor(basket.points if refusal is None else 0, bill.currency),
        redeeming,
        refusal,
    )


def _shown(viewer: Viewer, wallet: Wallet, person: _Person) -> int:
    """How many of the member's points the viewer is told of: those it may see are there, and no
    more than there are in all."""
    if viewer.channel is None or viewer.sees_members_whole:
        return max(wallet.available_points, 0)
    own = {*person.visible}
    seen = sum(a.open_points - a.debt_points for a in wallet.accounts if a.profile_id in own)
    return max(min(seen, wallet.available_points), 0)


def _refusal(basket: Basket, wallet: Wallet | None, bill: Bill) -> tuple[str, str] | None:
    """Why a checkout would not take so many points."""
    if basket.counter.account is None:
        return "account_missing", "points are of an account: name it"
    if wallet is None:
        return "account_unknown", "nobody knows an account of this name"
    try:
        wallet.shares(basket.points, bill)
    except Refused as refused:
        return refused.code, refused.reason
    return None
