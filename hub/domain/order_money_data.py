"""What events of an order's money after the payment say: refunds, after-sale, the platform's bill.

Amounts in minor units. What follows from it is in `hub.domain.order_money`.
"""

from msgspec import Struct

from hub.domain import payloads
from hub.domain.envelope import BadEvent
from hub.domain.order_data import read_amount, read_quantities


class Refund(Struct, frozen=True):
    """Money that goes back, or is asked to; amounts by line where it says. points: None where it
    does not say how many go back."""

    refund_id: str
    amount_minor: int
    currency: str
    is_compensation: bool
    points: int | None
    lines: dict[str, int]
    aftersale_id: str | None


class Aftersale(Struct, frozen=True):
    """What the buyer wants after the sale: quantities in thousandths by line."""

    aftersale_id: str
    kind: str
    quantities_milli: dict[str, int]
    amount_minor: int | None


class Settlement(Struct, frozen=True):
    """What the platform's bill says of a payment."""

    payment_id: str
    amount_minor: int
    currency: str
    fee_minor: int
    commission_minor: int
    subsidy_minor: int


def read_refund(payload: payloads.orders.Refund) -> Refund:
    """A refund; BadEvent where its lines do not come to its amount."""
    amount = read_amount(payload.amount, payload.currency, "amount")
    lines: dict[str, int] = {}
    for i, line in enumerate(payload.lines):
        part = read_amount(line.amount, payload.currency, "lines", i, "amount")
        lines[line.line] = lines.get(line.line, 0) + part
    if lines and sum(lines.values()) != amount:
        raise BadEvent("lines_mismatch", "the lines do not come to the amount", "$.data.lines")
    return Refund(
        payload.refund_id,
        amount,
        payload.currency,
        payload.kind == "compensation",
        payload.points,
        lines,
        payload.aftersale_id,
    )


def read_aftersale(payload: payloads.orders.AftersaleRequest) -> Aftersale:
    """What is wanted; BadEvent for an amount without a currency."""
    amount = None
    if payload.amount is not None:
        if payload.currency is None:
            raise BadEvent("currency_missing", "an amount needs a currency", "$.data.currency")
        amount = read_amount(payload.amount, payload.currency, "amount")
    quantities = read_quantities(payload.lines or None) or {}
    return Aftersale(payload.aftersale_id, payload.kind, quantities, amount)


def read_settlement(payload: payloads.orders.Settlement) -> Settlement:
    currency = payload.currency
    return Settlement(
        payload.payment_id,
        read_amount(payload.amount, currency, "amount"),
        currency,
        read_amount(payload.fee, currency, "fee"),
        read_amount(payload.commission, currency, "commission"),
        read_amount(payload.subsidy, currency, "subsidy"),
    )
