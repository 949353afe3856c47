"""What an order's events say, read from their payloads: amounts in minor units, quantities in
thousandths. What follows from it is in `hub.domain.orders`."""

from datetime import datetime
from typing import Any

from msgspec import Struct, structs

from hub.domain import bundles, ids, money, payloads
from hub.domain.bundles import Components
from hub.domain.distance import Point
from hub.domain.envelope import BadEvent, utc
from hub.domain.ids import Key


class Line(Struct, gc=False, frozen=True):
    """A line as ordered; amounts in minor units, discounts as (kind, amount, coupon code).
    components: of a bundle, if the channel named them; None if it said nothing."""

    line: str
    sku: str
    quantity_milli: int
    unit_price_minor: int
    gross_minor: int
    discount_minor: int
    discounts: tuple[tuple[str, int, str | None], ...]
    category: str | None = None
    is_made_to_order: bool = False
    components: Components | None = None


class Tender(Struct, frozen=True):
    """What pays a part of the total instead of money, in minor units; of points their number."""

    kind: str
    amount_minor: int
    points: int = 0
    coupon: str | None = None
    principal_minor: int | None = None
    bonus_minor: int | None = None


class Deposit(Struct, frozen=True):
    """A part paid ahead, in minor units, and until when the rest is due."""

    kind: str
    amount_minor: int
    balance_due_at: datetime


class Pickup(Struct, frozen=True):
    """When an order is picked up, and until when that can be changed."""

    slot_from: datetime
    slot_until: datetime
    cut_off: datetime | None = None


class OrderName(Struct, frozen=True):
    """An order of some channel's shop."""

    channel: str
    shop: str
    order_number: str

    @property
    def key(self) -> Key:
        return ids.order_id(self.channel, self.shop, self.order_number)


class Content(Struct, frozen=True):
    """What order.placed and order.amended say."""

    currency: str
    lines: tuple[Line, ...]
    total_minor: int
    account: str | None
    place: str | None
    tenders: tuple[Tender, ...] = ()
    is_paid_on_delivery: bool = False
    deposit: Deposit | None = None
    pickup: Pickup | None = None
    session: tuple[str, str | None] | None = None
    near: Point | None = None
    parent: str | None = None
    children: tuple[str, ...] = ()
    origin: OrderName | None = None

    @property
    def tendered_minor(self) -> int:
        return sum(tender.amount_minor for tender in self.tenders) if self.tenders else 0

    @property
    def tendered_points(self) -> int:
        return sum(tender.points for tender in self.tenders)


class Payment(Struct, frozen=True):
    """A payment; amount in minor units."""

    payment_id: str
    amount_minor: int
    currency: str
    method: str


class Cancellation(Struct, frozen=True):
    """What is called off: quantities by line, None for the whole order; and whose fault it is."""

    quantities_milli: dict[str, int] | None = None
    fault: str | None = None


class PickupChange(Struct, frozen=True):
    """Where an order is picked up from now on, and when."""

    place: str
    pickup: Pickup | None


class Handling(Struct, frozen=True):
    """Goods given out or taken back: quantities by line, None for all that is left."""

    quantities_milli: dict[str, int] | None
    place: str | None
    restock: bool | None = True


def read_content(payload: payloads.orders.OrderContent) -> Content:
    """The content of an order in integers; BadEvent where its arithmetic does not hold."""
    currency = payload.currency
    lines = [_line(line, currency, i) for i, line in enumerate(payload.lines)]
    if len({line.line for line in lines}) != len(lines):
        raise BadEvent("duplicate_line", "two lines have the same number", "$.data.lines")
    if payload.discounts:
        lines = _share_out(payload.discounts, lines, currency)
    total = sum(line.gross_minor - line.discount_minor for line in lines)
    if read_amount(payload.total, currency, "total") != total:
        raise BadEvent(
            "total_mismatch",
            f"total is {payload.total}, but lines less discounts come to "
            f"{money.decimal_text(total, money.exponent(currency))}",
            "$.data.total",
        )
    account = payload.buyer.account if payload.buyer is not None else None
    if _is_plain(payload):
        return Content(currency, tuple(lines), total, account, payload.place)
    return _more(payload, Content(currency, tuple(lines), total, account, payload.place))


def _is_plain(payload: payloads.orders.OrderContent) -> bool:
    """Whether it says no more than most orders do: reading those must stay quick."""
    return (
        payload.payment_terms == "prepaid"
        and not payload.tenders
        and not payload.children
        and payload.deposit is None
        and payload.pickup is None
        and payload.session is None
        and payload.near is None
        and payload.parent is None
        and payload.origin is None
    )


def _more(payload: payloads.orders.OrderContent, plain: Content) -> Content:
    if payload.parent == payload.order_number:
        raise BadEvent("parent_of_itself", "no order is a part of itself", "$.data.parent")
    tenders = tuple(_tender(one, plain.currency, i) for i, one in enumerate(payload.tenders))
    if sum(tender.amount_minor for tender in tenders) > plain.total_minor:
        raise BadEvent("tenders_above_total", "tenders pay more than the total", "$.data.tenders")
    session, origin = payload.session, payload.origin
    return structs.replace(
        plain,
        tenders=tenders,
        is_paid_on_delivery=payload.payment_terms == "on_delivery",
        deposit=_deposit(payload.deposit, plain),
        pickup=_pickup(payload.pickup),
        session=(session.session_id, session.anchor) if session is not None else None,
        near=_point(payload.near),
        parent=payload.parent,
        children=tuple(payload.children),
        origin=OrderName(origin.channel, origin.shop, origin.order_number) if origin else None,
    )


def _tender(said: payloads.orders.Tender, currency: str, index: int) -> Tender:
    def read(value: str | None, field: str) -> int | None:
        return None if value is None else read_amount(value, currency, "tenders", index, field)

    amount = read_amount(said.amount, currency, "tenders", index, "amount")
    principal, bonus = read(said.principal, "principal"), read(said.bonus, "bonus")
    if (principal is not None or bonus is not None) and (principal or 0) + (bonus or 0) != amount:
        raise BadEvent(
            "tender_mismatch",
            "principal and bonus do not come to the amount",
            f"$.data.tenders[{index}]",
        )
    return Tender(said.kind, amount, said.points or 0, said.coupon, principal, bonus)


def _deposit(said: payloads.orders.Deposit | None, content: Content) -> Deposit | None:
    if said is None:
        return None
    amount = read_amount(said.amount, content.currency, "deposit", "amount")
    if amount > content.total_minor:
        raise BadEvent("deposit_above_total", "it is above the total", "$.data.deposit.amount")
    return Deposit(said.kind, amount, utc(said.balance_due_at, "$.data.deposit.balance_due_at"))


def _pickup(said: payloads.orders.Pickup | None) -> Pickup | None:
    if said is None:
        return None
    field = "$.data.pickup.slot_until"
    slot_from, slot_until = utc(said.slot_from, field), utc(said.slot_until, field)
    if slot_until <= slot_from:
        raise BadEvent("slot_empty", "the slot ends before it begins", field)
    cut_off = utc(said.cut_off, "$.data.pickup.cut_off") if said.cut_off is not None else None
    return Pickup(slot_from, slot_until, cut_off)


def _point(said: payloads.orders.Near | None) -> Point | None:
    if said is None:
        return None
    point = Point(float(said.latitude), float(said.longitude))
    if abs(point.latitude) > 90 or abs(point.longitude) > 180:
        raise BadEvent("nowhere", "there is no such point on the earth", "$.data.near")
    return point


def _share_out(
    discounts: list[payloads.orders.Discount], lines: list[Line], currency: str
) -> list[Line]:
    """Discounts of the whole order, by what each line comes to; the sum is exact."""
    for i, discount in enumerate(discounts):
        amount = read_amount(discount.amount, currency, "discounts", i, "amount")
        left = [line.gross_minor - line.discount_minor for line in lines]
        if amount > sum(left):
            raise BadEvent(
                "discount_above_amount",
                f"a discount of {discount.amount} is above what is left of the lines",
                f"$.data.discounts[{i}].amount",
            )
        shares = money.allocate(amount, left)
        lines = [
            structs.replace(
                line,
                discount_minor=line.discount_minor + share,
                discounts=(*line.discounts, (discount.kind, share, discount.coupon)),
            )
            if share
            else line
            for line, share in zip(lines, shares, strict=True)
        ]
    return lines


def _line(line: payloads.orders.Line, currency: str, index: int) -> Line:
    gross = read_amount(line.amount, currency, "lines", index, "amount")
    discounts = tuple(
        [
            (d.kind, read_amount(d.amount, currency, "lines", index, "discounts"), d.coupon)
            for d in line.discounts
        ]
    )
    discount = sum([d[1] for d in discounts]) if discounts else 0
    if discount > gross:
        raise BadEvent(
            "discount_above_amount",
            f"line {line.line}: discounts of {discount} are above its amount of {gross}",
            f"$.data.lines[{index}].discounts",
        )
    return Line(
        line.line,
        line.sku,
        _quantity(line.quantity, index),
        read_amount(line.unit_price, currency, "lines", index, "unit_price"),
        gross,
        discount,
        discounts,
        line.category,
        line.made_to_order,
        _components(line, index) if line.components is not None else None,
    )


def _components(line: payloads.orders.Line, index: int) -> Components:
    return bundles.read(line.components or (), line.sku, f"$.data.lines[{index}].components")


def read_payment(payload: payloads.orders.OrderPayment) -> Payment:
    amount = read_amount(payload.amount, payload.currency, "amount")
    return Payment(payload.payment_id, amount, payload.currency, payload.method)


def read_cancellation(payload: payloads.orders.OrderCancellation) -> Cancellation:
    return Cancellation(read_quantities(payload.lines), payload.fault)


def read_pickup_change(payload: payloads.orders.OrderPickupChange) -> PickupChange:
    return PickupChange(payload.place, _pickup(payload.pickup))


def read_fulfilment(payload: payloads.orders.OrderFulfilment) -> Handling:
    return Handling(read_quantities(payload.lines), payload.place)


def read_return(payload: payloads.orders.ReturnReceived) -> Handling:
    return Handling(read_quantities(payload.lines), payload.place, payload.restock)


def read_quantities(lines: list[payloads.orders.LineQuantity] | None) -> dict[str, int] | None:
    """Quantities in thousandths by line; a line named twice counts twice."""
    if lines is None:
        return None
    summed: dict[str, int] = {}
    for i, line in enumerate(lines):
        summed[line.line] = summed.get(line.line, 0) + _quantity(line.quantity, i)
    return summed


def read_amount(value: str, currency: str, *path: Any) -> int:
    """An amount of this currency in minor units; path: the field it stands in."""
    try:
        amount = money.minor(value, currency)
    except money.BadNumber as bad:
        raise BadEvent("bad_amount", f"{bad} in {currency}", _field(path)) from None
    if amount < 0:
        raise BadEvent("negative_amount", f"'{value}' is below 0", _field(path))
    return amount


def _quantity(value: str, index: int) -> int:
    try:
        quantity = money.milli(value)
    except money.BadNumber as bad:
        raise BadEvent("bad_quantity", str(bad), f"$.data.lines[{index}].quantity") from None
    if quantity < 0:
        raise BadEvent(
            "negative_quantity", f"'{value}' is below 0", f"$.data.lines[{index}].quantity"
        )
    return quantity


def _field(path: tuple[Any, ...]) -> str:
    return "$.data" + "".join(f"[{p}]" if isinstance(p, int) else f".{p}" for p in path)
