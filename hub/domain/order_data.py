"""What an order's events say, read from their payloads: amounts in minor units, quantities in
thousandths. What follows from it is in `hub.domain.orders`."""

from typing import Any

from msgspec import Struct

from hub.domain import money, payloads
from hub.domain.envelope import BadEvent


class Line(Struct, gc=False, frozen=True):
    """A line as ordered; amounts in minor units, discounts as (kind, amount, coupon code)."""

    line: str
    sku: str
    quantity_milli: int
    unit_price_minor: int
    gross_minor: int
    discount_minor: int
    discounts: tuple[tuple[str, int, str | None], ...]
    category: str | None = None


class Content(Struct, frozen=True):
    """What order.placed and order.amended say."""

    currency: str
    lines: tuple[Line, ...]
    total_minor: int
    account: str | None
    place: str | None


class Payment(Struct, frozen=True):
    """A payment or refund; amount in minor units."""

    payment_id: str
    amount_minor: int
    currency: str


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
    total = sum(line.gross_minor - line.discount_minor for line in lines)
    if _amount(payload.total, currency, "total") != total:
        raise BadEvent(
            "total_mismatch",
            f"total is {payload.total}, but lines less discounts come to "
            f"{money.decimal_text(total, money.exponent(currency))}",
            "$.data.total",
        )
    account = payload.buyer.account if payload.buyer is not None else None
    return Content(currency, tuple(lines), total, account, payload.place)


def _line(line: payloads.orders.Line, currency: str, index: int) -> Line:
    gross = _amount(line.amount, currency, "lines", index, "amount")
    discounts = tuple(
        [
            (d.kind, _amount(d.amount, currency, "lines", index, "discounts"), d.coupon)
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
        _amount(line.unit_price, currency, "lines", index, "unit_price"),
        gross,
        discount,
        discounts,
        line.category,
    )


def read_payment(payload: payloads.orders.OrderPayment) -> Payment:
    amount = _amount(payload.amount, payload.currency, "amount")
    return Payment(payload.payment_id, amount, payload.currency)


def read_refund(payload: payloads.orders.RefundSucceeded) -> Payment:
    amount = _amount(payload.amount, payload.currency, "amount")
    return Payment(payload.refund_id, amount, payload.currency)


def read_fulfilment(payload: payloads.orders.OrderFulfilment) -> Handling:
    return Handling(_quantities(payload.lines), payload.place)


def read_return(payload: payloads.orders.ReturnReceived) -> Handling:
    return Handling(_quantities(payload.lines), payload.place, payload.restock)


def _quantities(lines: list[payloads.orders.LineQuantity] | None) -> dict[str, int] | None:
    if lines is None:
        return None
    summed: dict[str, int] = {}
    for i, line in enumerate(lines):
        summed[line.line] = summed.get(line.line, 0) + _quantity(line.quantity, i)
    return summed


def _amount(value: str, currency: str, *path: Any) -> int:
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
