"""Baskets as orders: placed, paid and completed at the till within seconds.

What the retailer receives (`sales_value`) is the order's total. Loyalty and matched-coupon
discounts are the retailer's and lower it; a manufacturer's coupon is money from a third party, so
it is a payment, not a discount. The set's own columns agree: only so is price times quantity whole.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from hub.demo.amounts import amount_text, quantity_text, unit_price_minor
from hub.demo.envelope import Fact, source
from hub.demo.households import account
from hub.demo.source import CURRENCY, Tables

PAID_AFTER_S = 5
COMPLETED_AFTER_S = 10
SEQUENCED_CHANNEL = "website"
"""This channel numbers the events of an order itself; the others are ordered by time."""

Row = tuple[int, int, int, int, int, int]
"""product, quantity in thousandths, gross, loyalty, matched coupon, manufacturer's coupon"""
_COLUMNS = ("product_id", "milli", "gross", "loyalty", "match", "tendered")


@dataclass(frozen=True)
class Basket:
    """One basket of the set with its lines."""

    number: str
    household: int
    store: int
    channel: str
    at_s: int
    rows: list[Row]

    @property
    def total_minor(self) -> int:
        """What the retailer receives, coupons of manufacturers included."""
        return sum(gross - loyalty - match for _, _, gross, loyalty, match, _ in self.rows)

    @property
    def tendered_minor(self) -> int:
        """What manufacturers' coupons pay: nothing is paid out where they exceed the total."""
        return min(sum(row[5] for row in self.rows), self.total_minor)


def baskets(tables: Tables) -> Iterator[Basket]:
    """The window's baskets by time."""
    lines = tables.lines
    if lines.empty:
        return
    numbers = lines["basket_id"].to_numpy()
    starts = np.flatnonzero(np.r_[True, numbers[1:] != numbers[:-1]])
    ends = np.r_[starts[1:], len(numbers)]
    heads = lines.iloc[starts]
    at_s = heads["at"].to_numpy().astype("datetime64[s]").astype(np.int64)
    columns = [lines[name].to_numpy() for name in _COLUMNS]
    for i, (start, end) in enumerate(zip(starts.tolist(), ends.tolist(), strict=True)):
        store = int(heads["store_id"].iat[i])
        yield Basket(
            number=str(heads["basket_id"].iat[i]),
            household=int(heads["household_id"].iat[i]),
            store=store,
            channel=tables.channel_of_store[store],
            at_s=int(at_s[i]),
            rows=list(zip(*(column[start:end].tolist() for column in columns), strict=True)),
        )


def order_facts(basket: Basket) -> Iterator[tuple[int, Fact]]:
    """The order's events with the second each happened."""
    yield basket.at_s, _fact(basket, "order.placed", "placed", 1, _placed(basket))
    sequence = 2
    for method, amount_minor in _payments(basket):
        data = {
            "order_number": basket.number,
            "amount": amount_text(amount_minor),
            "currency": CURRENCY,
            "method": method,
            "payment_id": f"{basket.number}-{method}",
        }
        name = f"paid-{method}"
        yield basket.at_s + PAID_AFTER_S, _fact(basket, "order.paid", name, sequence, data)
        sequence += 1
    done = {"order_number": basket.number}
    at_s = basket.at_s + COMPLETED_AFTER_S
    yield at_s, _fact(basket, "order.completed", "completed", sequence, done)


def _fact(basket: Basket, kind: str, name: str, sequence: int, data: dict[str, Any]) -> Fact:
    numbered = sequence if basket.channel == SEQUENCED_CHANNEL else None
    event_id = f"{basket.number}-{name}"
    return Fact(kind, event_id, source(basket.channel, basket.store), basket.number, data, numbered)


def _payments(basket: Basket) -> Iterator[tuple[str, int]]:
    """Who paid what; an order of nothing needs no payment."""
    coupons = basket.tendered_minor
    if coupons:
        yield "manufacturer_coupon", coupons
    if basket.total_minor > coupons:
        yield "card", basket.total_minor - coupons


def _placed(basket: Basket) -> dict[str, Any]:
    data: dict[str, Any] = {
        "order_number": basket.number,
        "currency": CURRENCY,
        "buyer": {"account": account(basket.channel, basket.household)},
        "place": str(basket.store),
        "lines": [_line(number, row) for number, row in enumerate(basket.rows, start=1)],
        "total": amount_text(basket.total_minor),
    }
    if basket.channel == "website":
        data["recipient"] = {
            "name": f"Household {basket.household}",
            "address": f"No. {basket.household}, Journey Road",
        }
    return data


def _line(number: int, row: Row) -> dict[str, Any]:
    product, milli, gross, loyalty, match, tendered = row
    line: dict[str, Any] = {
        "line": str(number),
        "sku": str(product),
        "quantity": quantity_text(milli),
        "unit_price": amount_text(unit_price_minor(gross, milli)),
        "amount": amount_text(gross),
    }
    discounts = [
        {"kind": kind, "amount": amount_text(minor)}
        for kind, minor in (("loyalty", loyalty), ("coupon_match", match))
        if minor
    ]
    if discounts:
        line["discounts"] = discounts
    if tendered:
        line["manufacturer_coupon"] = amount_text(tendered)
    return line
