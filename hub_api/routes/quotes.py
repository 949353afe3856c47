"""What an order would cost: member's prices, coupons, points. A question: nothing is changed."""

from typing import Annotated, Any

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field

from hub.domain import money
from hub.store import quotes
from hub.store.coupon_commands import CouponUnknown
from hub.store.quotes import Basket, Line, Offered, Priced, Quoted
from hub.store.reads.viewer import Viewer
from hub_api import requests
from hub_api.amounts import amount, quantity
from hub_api.coupon_calls import counter_of
from hub_api.coupon_requests import Amount, Currency, Name, Using
from hub_api.keyring import viewer_of
from hub_api.problems import Fault, Problem
from hub_api.resources import Held
from hub_api.routes.checkouts import COUPONS_MAX, Seller
from hub_api.routes.points import POINTS_MAX
from hub_api.routes.reservations import ITEMS_MAX, Item, milli_of

router = APIRouter(prefix="/v1/quotes", tags=["checkouts"])


class PricedItem(Item):
    """So much of an item, at the channel's own price of one."""

    unit_price: Amount | None = None


class NewQuote(Using):
    """The basket. `amount`: what the order comes to before coupons; without it, the sum of the
    items at the member's prices. `coupons`: those to be used together; `points`: to be spent."""

    items: Annotated[list[PricedItem], Field(max_length=ITEMS_MAX, default_factory=list)]
    amount: Amount | None = None
    currency: Currency
    coupons: Annotated[list[Name], Field(max_length=COUPONS_MAX, default_factory=list)]
    points: Annotated[int, Field(ge=0, le=POINTS_MAX, strict=True)] = 0


class Level(BaseModel):
    """The member's level in a scheme."""

    scheme: str
    level: str | None
    price_list: str | None = Field(description="By which the member buys")
    points_factor: str = Field(description="What the order earns by it: 2 doubles")


class ItemPrice(BaseModel):
    """An item at the member's price."""

    sku: str
    quantity: str
    unit_price: str
    member_price: str = Field(description="The best of the plain price and the levels' lists")
    amount: str


class CouponWorth(BaseModel):
    """What a coupon would take off the price, or pay (`is_tender`), beside the chosen ones."""

    model_config = ConfigDict(json_schema_extra={"title": "QuotedCoupon"})

    code: str
    kind: str
    template: str | None
    is_chosen: bool
    is_usable: bool
    is_tender: bool
    amount: str
    obstacles: list[str] = Field(description="Why it does not fit: codes, see the guide")


class PointsWorth(BaseModel):
    """How far points may pay for it."""

    available: int = Field(description="Of the member's points, as far as the key sees them")
    most: int = Field(description="How many of them this order may take: the cap")
    most_pay: str | None = Field(description="What these pay; null if the rule does not say")
    points: int = Field(description="How many were asked for")
    pay: str | None
    is_possible: bool
    obstacle: str | None
    points_min: int
    multiple_of: int


class Quote(BaseModel):
    """What the order would cost."""

    currency: str
    amount: str = Field(description="Before coupons: hand it to the checkout")
    levels: list[Level]
    items: list[ItemPrice]
    coupons: list[CouponWorth] = Field(
        description="The chosen ones in the order asked; then others of the wallet, 100 at most, "
        "for keys with `coupons:read`"
    )
    discount: str = Field(description="What the chosen coupons take off")
    tendered: str = Field(description="What the chosen vouchers pay")
    points: PointsWorth
    to_pay: str = Field(description="What is left to pay by money")
    is_possible: bool = Field(description="Whether a checkout with this would be taken now")


@router.post("", openapi_extra=requests.schema_of(NewQuote))
async def quote(request: Request, key: Seller, held: Held) -> Quote:
    """What it would cost, and what stands in the way. A checkout with the same `amount`, `coupons`
    and `points` takes just that, if the goods are there and nobody was faster."""
    wanted = await requests.read(request, held, NewQuote)
    if wanted.coupons:
        held.keyring.refuse_guessing(key, "coupon")
    counter = counter_of(key, wanted)
    basket = Basket(
        counter=counter,
        lines=[_line(i, item, wanted.currency) for i, item in enumerate(wanted.items)],
        currency=wanted.currency,
        amount_minor=_amount(wanted),
        coupons=wanted.coupons,
        points=wanted.points,
        shows_wallet=key.allows("coupons:read"),
    )
    # Whoever may act for several channels sees, of this basket, what its channel would.
    viewer = Viewer(counter.channel, viewer_of(key).sees_members_whole)

    async def read(reader: Any) -> Quoted:
        return await quotes.quote(reader, viewer, basket)

    try:
        return _quote(basket, await held.database.read(read))
    except CouponUnknown:
        held.keyring.miss(key, "coupon")
        raise Problem("not-found") from None


def _amount(wanted: NewQuote) -> int | None:
    if wanted.amount is not None:
        return _minor(wanted.amount, wanted.currency, "amount")
    missing = [i for i, item in enumerate(wanted.items) if item.unit_price is None]
    if missing or not wanted.items:
        field = f"items[{missing[0]}].unit_price" if missing else "amount"
        raise Problem("invalid", [Fault(field, "an amount is needed, or a price of each item")])
    return None


def _line(index: int, item: PricedItem, currency: str) -> Line:
    price = item.unit_price
    field = f"items[{index}].unit_price"
    unit_minor = None if price is None else _minor(price, currency, field)
    return Line(item.sku, milli_of(index, item), unit_minor)


def _minor(text: str, currency: str, field: str) -> int:
    try:
        minor = money.minor(text, currency)
    except money.BadNumber as bad:
        raise Problem("invalid", [Fault(field, str(bad))]) from None
    if minor < 0:
        raise Problem("invalid", [Fault(field, "it is below 0")])
    return minor


def _quote(basket: Basket, told: Quoted) -> Quote:
    currency = basket.currency

    def text(minor: int) -> str:
        return amount(minor, currency) or "0"

    points, bill = told.points, told.bill
    chosen = [one for one in told.offered if one.is_chosen]
    is_possible = points.refusal is None and not any(one.obstacles for one in chosen)
    if told.amount_minor > money.INTEGER_MAX:
        raise Problem("invalid", [Fault("items", "they come to more than any amount can be")])
    return Quote(
        currency=currency,
        amount=text(told.amount_minor),
        levels=[_level(row) for row in told.levels],
        items=[_item(one, currency) for one in told.priced],
        coupons=[_coupon(one, currency) for one in told.offered],
        discount=text(told.amount_minor - bill.total_minor),
        tendered=text(bill.total_minor - bill.left_minor),
        points=PointsWorth(
            available=points.available,
            most=points.most,
            most_pay=amount(points.most_pay_minor, currency),
            points=basket.points,
            pay=amount(points.pay_minor, currency),
            is_possible=points.refusal is None,
            obstacle=points.refusal[0] if points.refusal is not None else None,
            points_min=points.redeeming.points_min,
            multiple_of=points.redeeming.multiple_of,
        ),
        to_pay=text(bill.left_minor - (points.pay_minor or 0)),
        is_possible=is_possible,
    )


def _level(row: dict[str, Any]) -> Level:
    return Level(
        scheme=row["scheme"],
        level=row["level"],
        price_list=row["price_list"],
        points_factor=quantity(row["points_factor_milli"]),
    )


def _item(one: Priced, currency: str) -> ItemPrice:
    unit = amount(one.line.unit_minor, currency) or "0"
    return ItemPrice(
        sku=one.line.sku,
        quantity=quantity(one.line.milli),
        unit_price=unit,
        member_price=amount(one.member_minor, currency) or "0",
        amount=amount(one.total_minor, currency) or "0",
    )


def _coupon(one: Offered, currency: str) -> CouponWorth:
    is_usable = not one.obstacles
    return CouponWorth(
        code=one.offer.code,
        kind=one.offer.kind,
        template=one.offer.template,
        is_chosen=one.is_chosen,
        is_usable=is_usable,
        is_tender=one.quote.is_tender,
        amount=amount(one.quote.amount_minor if is_usable else 0, currency) or "0",
        obstacles=list(one.obstacles),
    )
