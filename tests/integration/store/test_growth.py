"""Growth is a ledger apart from points: what is paid raises it, what is refunded lowers it."""

from itertools import permutations
from typing import Any

import pytest

from hub.store import check
from tests.event_maker import Shop, at, line
from tests.integration.store.stage import Store

NUMBER = {"order_number": "n-1"}
PLACED: dict[str, Any] = NUMBER | {
    "currency": "CNY",
    "lines": [line(1, "cake", 1, "100.50")],
    "total": "100.50",
    "buyer": {"account": "a"},
}
BY_KIND = (
    "select kind, growth::int, amount_minor::int, rule_version from growth_entries"
    " order by occurred_at, kind"
)
SUM = "select coalesce(sum(growth), 0)::int from growth_entries"


def story(shop: Shop) -> list[bytes]:
    money = {"amount": "100.50", "currency": "CNY"}
    back = {"amount": "40.00", "currency": "CNY"}
    return [
        shop.body("order.placed", 0, **PLACED),
        shop.body("order.paid", 5, **NUMBER, **money, method="wx", payment_id="p"),
        shop.body("refund.succeeded", 9, **NUMBER, **back, refund_id="r"),
    ]


@pytest.fixture(autouse=True)
async def kept(store: Store) -> Any:
    """After each test the books balance."""
    yield
    broken = [r for r in await check.run(store.database.dsn("writer")) if r.violations]
    assert not broken


async def test_after_a_refund_growth_drops_at_once(store: Store) -> None:
    for body in story(Shop()):
        await store.take(body)
    assert await store.rows(BY_KIND) == [
        {"kind": "earned", "growth": 100, "amount_minor": 10050, "rule_version": "earn-1"},
        {"kind": "reversed", "growth": -40, "amount_minor": -4000, "rule_version": "earn-1"},
    ]


@pytest.mark.parametrize("order", list(permutations(range(3))))
async def test_growth_comes_to_the_same_in_any_order(store: Store, order: tuple[int, ...]) -> None:
    bodies = story(Shop())
    for place in order:
        await store.take(bodies[place])
    by_time = "select occurred_at, sum(growth)::int as growth from growth_entries group by 1"
    assert await store.rows(f"{by_time} having sum(growth) <> 0 order by 1") == [
        {"occurred_at": at(5), "growth": 100},
        {"occurred_at": at(9), "growth": -40},
    ]


async def test_a_cancelled_order_leaves_no_growth(store: Store) -> None:
    shop = Shop()
    await store.take(*story(shop)[:2], shop.body("order.cancelled", 7, **NUMBER))
    assert await store.value(SUM) == 0


async def test_a_channel_grants_growth_for_what_is_no_sale(store: Store) -> None:
    granted = {"account": "a", "growth": 20, "reason": "review"}
    await store.take(Shop("mini").body("member.growth_earned", 3, **granted))
    assert await store.rows(BY_KIND) == [
        {"kind": "granted", "growth": 20, "amount_minor": None, "rule_version": "channel"},
    ]
    assert await store.value("select count(*) from points_entries") == 0
