"""A coupon's use returns with its order: called off, or refunded in full."""

from itertools import permutations
from typing import Any

import pytest

from hub.store import check
from hub.store.replay import replay
from tests.event_maker import Shop, line
from tests.integration.store.stage import Store

SHOP = Shop()
ORDER = {"order_number": "n-1", "currency": "CNY"}
CONTENT = {"lines": [line(1, "cake", 1, "90.00")], "total": "90.00"}
ISSUED = {"code": "TEN", "kind": "discount", "face_value": "10.00", "currency": "CNY"}


def issued(**more: Any) -> bytes:
    return SHOP.body("coupon.issued", 0, **ISSUED | more, event_id="issued")


def used() -> bytes:
    use = {"code": "TEN", "redemption_id": "u-1", "order_number": "n-1"}
    return SHOP.body("coupon.redeemed", 2, **use, event_id="used")


def sold() -> list[bytes]:
    paid = {"amount": "90.00", "method": "wx", "payment_id": "p-1"}
    return [
        SHOP.body("order.placed", 1, **ORDER, **CONTENT, event_id="placed"),
        SHOP.body("order.paid", 2, **ORDER, **paid, event_id="paid"),
    ]


def refund(minute: float, amount: str) -> bytes:
    back = {"refund_id": f"r-{minute}", "amount": amount}
    return SHOP.body("refund.succeeded", minute, **ORDER, **back, event_id=f"r-{minute}")


async def coupon(store: Store) -> tuple[str, int]:
    row = await store.row("select status, uses_redeemed from coupons")
    return row["status"], row["uses_redeemed"]


async def test_an_order_with_a_discount_coupon_partly_refunded_keeps_it_until_the_full_refund(
    store: Store,
) -> None:
    """The coupon returns only on full refund, with its original validity."""
    until = {"valid_until": "2026-06-01T00:00:00+08:00"}
    await store.take(issued(**until), *sold(), used())
    await store.take(refund(5, "30.00"))
    assert await coupon(store) == ("redeemed", 1)
    valid = await store.value("select valid_until from coupons")
    await store.take(refund(6, "60.00"))
    assert await coupon(store) == ("issued", 0)
    assert await store.value("select valid_until from coupons") == valid
    again = {"code": "TEN", "redemption_id": "u-2", "order_number": "n-2"}
    await store.take(SHOP.body("coupon.redeemed", 9, **again))
    assert await coupon(store) == ("redeemed", 1)
    assert [one for one in await check.run(store.database.dsn()) if one.violations] == []


async def test_a_platforms_coupon_is_never_returned_by_us(store: Store) -> None:
    await store.take(issued(kind="platform"), *sold(), used(), refund(5, "90.00"))
    assert await coupon(store) == ("redeemed", 1)


async def test_a_coupon_whose_terms_keep_it_stays_used(store: Store) -> None:
    await store.take(issued(terms={"on_refund": "keep"}), *sold(), used(), refund(5, "90.00"))
    assert await coupon(store) == ("redeemed", 1)


async def test_a_coupon_of_an_order_that_is_called_off_returns(store: Store) -> None:
    await store.take(issued(), *sold(), used())
    await store.take(SHOP.body("order.cancelled", 7, **ORDER))
    assert await coupon(store) == ("issued", 0)
    row = await store.row("select redeemed_at, reversed_at from coupon_redemptions")
    assert (row["reversed_at"] - row["redeemed_at"]).total_seconds() == 5 * 60


@pytest.mark.parametrize("order", list(permutations(range(5)))[::7])
async def test_order_coupon_and_refund_in_any_order_end_alike(
    store: Store, order: tuple[int, ...]
) -> None:
    told = [issued(), *sold(), used(), refund(6, "90.00")]
    for number in order:
        await store.take(told[number])
    assert await coupon(store) == ("issued", 0)
    assert [one for one in await check.run(store.database.dsn()) if one.violations] == []
    assert (await replay(store.database.dsn("owner"), store.vault)).is_equal
