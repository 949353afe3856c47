"""Members have levels by schemes: reached, merged, parted, reviewed, with gifts."""

import asyncio
from typing import Any

import pytest

from hub.domain import ids, tier_schemes
from hub.store import apply, check, configs, db, tier_reviews, tier_trial
from hub.store.configs import Draft
from hub.store.digest import digest
from hub.store.replay import replay
from tests.event_maker import Shop, line, record
from tests.integration.store.stage import CLUSTER, Store

LEVELS: list[dict[str, Any]] = [
    {"name": "silver", "threshold": 100},
    {"name": "gold", "threshold": 300, "gift": {"template": "cake", "valid_days": 365}},
]
CLUB = {"basis": "growth", "levels": LEVELS, "window_days": 730, "validity_days": 730}
PHONE = {"type": "phone", "value": "13912345678", "proof": "verified"}
LEVEL = "select level, value::int from member_tiers order by member_id"
HISTORY = "select level_before, level, cause from tier_changes order by member_id, number"
GIFTS = (
    "select g.recalled_at is not null as recalled, c.status"
    " from tier_gifts as g join coupons as c using (code)"
)


def published(minute: float = -60, name: str = "club", **more: Any) -> bytes:
    said = {"kind": "tier_scheme", "name": name, "document": CLUB | more, "reason": "-"}
    return Shop("hub").decision("config.published", minute, **said, event_id=f"c-{name}-{minute}")


def granted(shop: Shop, minute: float, growth: int, account: str = "a") -> bytes:
    return shop.body("member.growth_earned", minute, account=account, growth=growth)


def known(shop: Shop, account: str = "a") -> bytes:
    return shop.body("member.registered", 0, account=account, identifiers=[PHONE])


def bought(shop: Shop, minute: float, yuan: int, number: str = "n-1", sku: str = "cake") -> Any:
    money = {"amount": f"{yuan}.00", "currency": "CNY"}
    content = {"lines": [line(1, sku, 1, f"{yuan}.00")], "total": f"{yuan}.00", "currency": "CNY"}
    named = {"order_number": number}
    return [
        shop.body("order.placed", minute, **named, **content, buyer={"account": "a"}),
        shop.body("order.paid", minute, **named, **money, method="wx", payment_id=f"p-{number}"),
    ]


def refunded(shop: Shop, minute: float, yuan: int, number: str = "n-1") -> bytes:
    money = {"amount": f"{yuan}.00", "currency": "CNY", "refund_id": f"r-{minute}"}
    return shop.body("refund.succeeded", minute, order_number=number, **money)


async def review(store: Store) -> int:
    done = 0
    while True:
        async with store.connection.transaction():
            decided = await tier_reviews.review_due(store.connection, store.vault)
        if not decided:
            return done
        done += decided


@pytest.fixture(autouse=True)
async def kept(store: Store) -> Any:
    """After each test the books balance, and a replay gives the same rows."""
    yield
    broken = [r for r in await check.run(store.database.dsn("writer")) if r.violations]
    assert not broken
    again = await replay(store.database.dsn("owner"), store.vault)
    assert again.is_equal, again.differences


async def test_orders_and_reviews_raise_a_member_from_level_to_level(store: Store) -> None:
    shop = Shop()
    await store.take(published(), *bought(shop, 1, 90))
    assert await store.rows(LEVEL) == [{"level": None, "value": 90}]
    await store.take(granted(shop, 5, 10), *bought(shop, 9, 200, "n-2"))
    assert await store.rows(LEVEL) == [{"level": "gold", "value": 300}]
    assert await store.rows(HISTORY) == [
        {"level_before": None, "level": "silver", "cause": "reached"},
        {"level_before": "silver", "level": "gold", "cause": "reached"},
    ]


async def test_tier_counts_growth_or_net_paid_and_never_the_balance(store: Store) -> None:
    paid_levels = [{"name": "silver", "threshold": 10_000}]
    net = {"basis": "net_paid", "currency": "CNY", "levels": paid_levels}
    await store.take(published(), published(-50, "spenders", **net))
    shop = Shop()
    await store.take(shop.body("points.earned", 1, account="a", points=5000))
    assert await store.rows(LEVEL) == []
    await store.take(*bought(shop, 2, 100), granted(shop, 3, 200))
    by_scheme = "select scheme, level, value::int from member_tiers order by scheme"
    assert await store.rows(by_scheme) == [
        {"scheme": "club", "level": "gold", "value": 300},
        {"scheme": "spenders", "level": "silver", "value": 10_000},
    ]


async def test_after_a_refund_the_tier_drops_and_an_unused_upgrade_gift_is_recalled(
    store: Store,
) -> None:
    shop = Shop()
    await store.take(published(), known(shop), *bought(shop, 1, 300))
    assert await review(store)
    assert await store.rows(GIFTS) == [{"recalled": False, "status": "claimed"}]
    await store.take(refunded(shop, 9, 250))
    assert await store.rows(LEVEL) == [{"level": None, "value": 50}]
    assert await review(store)
    assert await store.rows(GIFTS) == [{"recalled": True, "status": "voided"}]


async def test_a_gift_that_was_used_stays_with_who_used_it(store: Store) -> None:
    shop = Shop()
    await store.take(published(), known(shop), *bought(shop, 1, 300))
    await review(store)
    code = await store.value("select code from tier_gifts")
    await store.take(shop.body("coupon.redeemed", 5, code=code, redemption_id="u", account="a"))
    await store.take(refunded(shop, 9, 250))
    await review(store)
    assert await store.rows(GIFTS) == [{"recalled": True, "status": "redeemed"}]


async def test_the_review_runs_twice_or_is_skipped_with_the_same_result(store: Store) -> None:
    shop = Shop()
    await store.take(known(shop), granted(shop, 1, 300))
    await store.take(published(60, validity_days=30, window_days=30, grace_days=5))
    assert await store.rows(LEVEL) == [{"level": None, "value": None}]
    await review(store)
    rows = await store.rows(HISTORY)
    assert [(row["level"], row["cause"]) for row in rows] == [
        ("gold", "new_version"),
        (None, "reviewed"),
    ]
    assert await review(store) == 0
    assert await store.rows(HISTORY) == rows


async def test_a_scheme_takes_no_restart_and_places_the_members_there_are(store: Store) -> None:
    web, mini = Shop("web"), Shop("mini")
    await store.take(granted(web, 1, 120), granted(mini, 1, 20, "b"))
    async with store.connection.transaction():
        draft = Draft("tier_scheme", "club", CLUB, "our members' club")
        await configs.publish(store.connection, store.vault, draft)
    await review(store)
    rows = await store.rows("select level from member_tiers order by value")
    assert [row["level"] for row in rows] == [None, "silver"]


DOUBLE = [LEVELS[0] | {"points_factor_milli": 2000}, LEVELS[1] | {"points_factor_milli": 2500}]
LOTS = (
    "select rule_version, granted_points::int as granted, earned_points::int as earned"
    " from points_lots where order_id is not null order by earned_at, rule_version"
)


async def test_orders_of_a_level_earn_by_its_factor_and_the_order_that_raised_it_does_not(
    store: Store,
) -> None:
    shop = Shop()
    await store.take(published(levels=DOUBLE), *bought(shop, 1, 100))
    await store.take(*bought(shop, 5, 51, "n-2"))
    await store.take(refunded(shop, 9, 20, "n-2"))
    assert await store.rows(LOTS) == [
        {"rule_version": "earn-1", "granted": 100, "earned": 100},
        {"rule_version": "earn-1", "granted": 51, "earned": 31},
        {"rule_version": "tier/club/1", "granted": 51, "earned": 31},
    ]
    balance = "select sum(open_points)::int from points_accounts"
    assert await store.value(balance) == 162
    # An earlier order turns up late: the first one is of the level as well.
    await store.take(*bought(shop, 0, 100, "n-0"))
    assert await store.value(balance) == 100 + 200 + 62


async def test_a_factor_is_one_of_the_levels_version_at_the_orders_time(store: Store) -> None:
    shop = Shop()
    await store.take(published(), *bought(shop, 1, 100), published(4, levels=DOUBLE))
    await store.take(*bought(shop, 3, 10, "n-2"), *bought(shop, 6, 10, "n-3"))
    lots = await store.rows(LOTS)
    assert [lot["rule_version"] for lot in lots] == ["earn-1", "earn-1", "earn-1", "tier/club/2"]


async def test_a_scheme_is_tried_on_the_members_there_are_and_nothing_is_written(
    store: Store,
) -> None:
    web = Shop("web")
    growths = {"a": 50, "b": 120, "c": 150, "d": 400}
    await store.take(published(), *(granted(web, 1, g, who) for who, g in growths.items()))
    before = await digest(store.connection)
    levels = [{"name": "silver", "threshold": 130}, {"name": "platinum", "threshold": 400}]
    tried = tier_schemes.read(CLUB | {"levels": levels})
    trial = await tier_trial.try_scheme(store.connection, "club", tried)
    # Who has silver keeps it until its review.
    assert (trial.members, trial.moved) == (4, 1)
    assert trial.moves == {("gold", "platinum"): 1}
    assert await digest(store.connection) == before


async def test_a_merge_counts_both_and_its_undoing_gives_the_levels_back(store: Store) -> None:
    web, mini = Shop("web"), Shop("mini")
    await store.take(published(), granted(web, 1, 150), granted(mini, 2, 160))
    before = await store.rows(HISTORY), await digest(store.connection)
    pair = {"account": "a", "other": {"channel": "mini", "account": "a"}}
    await store.take(web.decision("member.merged", 5, **pair))
    assert await store.rows(LEVEL) == [{"level": "gold", "value": 310}]
    await review(store)
    await store.take(web.decision("member.split", 9, **pair))
    await review(store)
    assert await store.rows(HISTORY) == before[0]
    assert await store.rows(LEVEL) == [
        {"level": "silver", "value": growth}
        for _, growth in sorted(
            [(ids.profile_id("web", "a"), 150), (ids.profile_id("mini", "a"), 160)]
        )
    ]
    # The gift of the two together was not kept by either.
    assert await store.rows(GIFTS) == [{"recalled": True, "status": "voided"}]


async def test_two_profiles_of_one_member_that_grow_at_once_are_one_sum(store: Store) -> None:
    web, mini = Shop("web"), Shop("mini")
    await store.take(published(), known(web), known(mini))
    other = await db.connect(store.database.dsn("writer"))
    try:

        async def grow(connection: db.Connection, shop: Shop) -> None:
            for minute in range(1, 21):
                async with connection.transaction():
                    records = [record(granted(shop, minute, 10))]
                    await apply.apply(connection, store.vault, records, CLUSTER)

        await asyncio.gather(grow(store.connection, web), grow(other, mini))
    finally:
        await other.close()
    assert await store.rows(LEVEL) == [{"level": "gold", "value": 400}]


async def test_a_paid_membership_is_bought_by_an_order_of_its_sku(store: Store) -> None:
    paid = [{"sku": "plus-1y", "level": "gold", "days": 365}]
    shop = Shop()
    await store.take(published(paid=paid), *bought(shop, 1, 9, sku="plus-1y"))
    assert await store.rows(LEVEL) == [{"level": "gold", "value": 9}]
    await store.take(refunded(shop, 5, 9))
    assert await store.rows(LEVEL) == [{"level": None, "value": 0}]
    assert [row["cause"] for row in await store.rows(HISTORY)] == ["bought", "paid_ended"]


async def test_a_merge_beside_a_publication_tells_by_the_version_published(store: Store) -> None:
    """It may read the schemes before the publication is done, and write after it."""
    web, mini = Shop(), Shop("mini")
    await store.take(published(), known(web), granted(web, 5, 100))
    other = await db.connect(store.database.dsn("writer"))

    async def merging() -> None:
        async with other.transaction():
            await apply.apply(other, store.vault, [record(known(mini))], CLUSTER)

    waiting = "select count(*) from pg_locks where not granted and pid = $1"
    pid = await other.fetchval("select pg_backend_pid()")
    try:
        async with store.connection.transaction():
            again = record(published(1, levels=[{"name": "silver", "threshold": 90}]))
            await apply.apply(store.connection, store.vault, [again], CLUSTER)
            task = asyncio.create_task(merging())
            async with asyncio.timeout(30):
                while not await store.value(waiting, pid):  # noqa: ASYNC110 - Postgres's wait
                    await asyncio.sleep(0.01)
        await task
    finally:
        await other.close()
    versions = await store.rows("select scheme_version from member_tiers")
    assert versions == [{"scheme_version": 2}]
