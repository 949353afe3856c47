"""The rule of points is configuration with versions: each order goes by that of its own time."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from hub.cli.points import app
from hub.errors import Refused
from hub.store import check, configs, db, points_rules, spending
from hub.store.configs import ConfigInvalid, Draft
from hub.store.digest import digest
from hub.store.replay import replay
from hub.store.spending import Asked
from tests.event_maker import Shop, at, line
from tests.integration.store.stage import Store

DAY = 24 * 60
DOUBLE = {"points_per_unit": 1, "date_factors_milli": {"2026-03-03": 2000}}
"""The day that begins 32 hours after the tests' clock does counts double."""
LOTS = (
    "select o.order_number as number, l.earned_points::int as points, l.rule_version as version"
    " from points_lots as l join orders as o using (order_id) order by 1"
)


def published(minute: float, document: dict[str, Any], valid_from: float | None = None) -> bytes:
    said = {"kind": "points_rules", "name": "default", "document": document, "reason": "a feast"}
    if valid_from is not None:
        said["valid_from"] = at(valid_from).isoformat()
    return Shop("hub").decision("config.published", minute, **said, event_id=f"c-{minute}")


def bought(minute: float, number: str, yuan: int = 100) -> list[bytes]:
    shop = Shop("web", numbers=iter(f"{number}-{step}" for step in range(9)))
    money = {"amount": f"{yuan}.00", "currency": "CNY"}
    one = line(1, "cake", 1, f"{yuan}.00")
    content = {"lines": [one], "total": f"{yuan}.00", "buyer": {"account": "a"}}
    named = {"order_number": number}
    return [
        shop.body("order.placed", minute, **named, **content, currency="CNY"),
        shop.body("order.paid", minute, **named, **money, method="wx", payment_id=f"p-{number}"),
    ]


@pytest.fixture
async def kept(store: Store) -> Any:
    """After the test the books balance, and a replay decides by what was known then."""
    yield
    broken = [r for r in await check.run(store.database.dsn("writer")) if r.violations]
    assert not broken
    again = await replay(store.database.dsn("owner"), store.vault)
    assert again.is_equal, again.differences


@pytest.mark.usefixtures("kept")
async def test_a_double_points_day_and_a_late_event_of_the_day_before_the_rule_version_of_the_events_time(  # noqa: E501
    store: Store,
) -> None:
    await store.take(*bought(0, "before"))
    await store.take(published(60, DOUBLE))
    await store.take(*bought(33 * 60, "feast"))
    await store.take(*bought(31 * 60, "late"), *bought(30, "later"))
    assert await store.rows(LOTS) == [
        {"number": "before", "points": 100, "version": "earn-1"},
        {"number": "feast", "points": 200, "version": "points_rules/1"},
        {"number": "late", "points": 100, "version": "points_rules/1"},
        {"number": "later", "points": 100, "version": "earn-1"},
    ]


@pytest.mark.usefixtures("kept")
async def test_an_order_whose_clock_ran_ahead_of_a_version_is_judged_anew_by_it(
    store: Store,
) -> None:
    triple = {"points_per_unit": 3, "growth_per_unit": 2}
    told = [bought(10, "before"), bought(90, "ahead"), [published(30, triple, 60)]]
    for body in told:
        await store.take(*body)
    assert [(row["number"], row["points"]) for row in await store.rows(LOTS)] == [
        ("ahead", 300),
        ("before", 100),
    ]
    entries = "select event_key, sum(points)::int as points from points_entries group by 1"
    assert sorted(row["points"] for row in await store.rows(entries)) == [100, 300]
    assert await store.value("select sum(growth)::int from growth_entries") == 300
    state = await digest(store.connection)
    await store.take(*bought(95, "next"))
    assert await digest(store.connection) != state


@pytest.mark.usefixtures("kept")
async def test_a_version_that_grants_as_many_points_still_sets_their_terms(store: Store) -> None:
    await store.take(*bought(90, "ahead"))
    await store.take(published(30, {"points_per_unit": 1, "expires_days": 10}))
    (lot,) = await store.rows("select rule_version, expires_at from points_lots")
    assert lot["rule_version"] == "points_rules/1"
    assert lot["expires_at"] > at(10 * DAY)


@pytest.mark.usefixtures("kept")
async def test_points_that_come_back_have_the_grace_of_the_version_of_that_time(
    store: Store,
) -> None:
    shop = Shop("web")
    earned = {"account": "a", "points": 50, "expires_at": at(60).isoformat()}
    spent = {"account": "a", "points": 50, "order_number": "n"}
    await store.take(
        shop.body("points.earned", 0, **earned),
        shop.body("points.redeemed", 10, **spent),
        shop.body("points.returned", 90, order_number="n", points=50),
    )
    grace = "select grace_until from points_lots"
    assert await store.value(grace) > at(30 * DAY)
    await store.take(published(70, {"points_per_unit": 1, "grace_days": 2}))
    assert at(2 * DAY) < await store.value(grace) < at(3 * DAY)


async def test_publishing_waits_for_a_write_that_has_read_the_versions(store: Store) -> None:
    """Otherwise that write would go by the versions before, and the next one's difference by
    those after."""
    slow, watcher = [await db.connect(store.database.dsn("writer")) for _ in range(2)]
    waits = "select count(*) from pg_locks where not granted and relation = 'configs'::regclass"
    try:
        async with slow.transaction():
            await points_rules.load(slow)
            publishing = asyncio.create_task(store.take(published(30, {"points_per_unit": 3})))
            while not await watcher.fetchval(waits):
                assert not publishing.done()
            await Store(store.database, slow).take(*bought(90, "ahead"))
        await publishing
    finally:
        await slow.close()
        await watcher.close()
    assert await store.rows(LOTS) == [
        {"number": "ahead", "points": 300, "version": "points_rules/1"}
    ]


async def test_the_hub_lets_nobody_spend_what_the_rule_does_not_and_a_channels_report_stands(
    store: Store,
) -> None:
    shop = Shop("web")
    await store.take(
        shop.body("member.registered", 0, account="a"),
        shop.body("points.earned", 1, account="a", points=1000),
        published(2, {"points_per_unit": 1, "redeeming": {"points_min": 100, "multiple_of": 50}}),
    )
    for points, reason in ((50, "at least 100"), (120, "multiples of 50")):
        with pytest.raises(Refused, match=reason) as refused:
            await spend(store, points)
        assert refused.value.code == "points_rule"
    await spend(store, 150)
    report = {"account": "a", "points": 30, "order_number": "n-2"}
    assert (await store.take(shop.body("points.redeemed", 5, **report))).applied == 1


async def spend(store: Store, points: int) -> None:
    async with store.connection.transaction():
        asked = Asked("web", "1", "a", "n-1", points)
        await spending.spend(store.connection, store.vault, asked)


@pytest.mark.parametrize(
    ("document", "field"),
    [
        ({}, "$"),
        ({"points_per_unit": -1}, "$.points_per_unit"),
        ({"points_per_unit": 1, "version": "x"}, "$"),
        ({"points_per_unit": 1, "category_return_days": {"cake": 0}}, "$.return_days"),
        (
            {"points_per_unit": 1, "redeeming": {"points_min": 9, "points_max": 8}},
            "$.redeeming.points_max",
        ),
    ],
)
async def test_a_rule_that_cannot_be_used_is_refused_with_its_field(
    store: Store, document: dict[str, Any], field: str
) -> None:
    with pytest.raises(ConfigInvalid) as refused:
        await configs.publish(
            store.connection, store.vault, Draft("points_rules", "default", document, "-")
        )
    assert refused.value.where == field


async def test_a_rule_is_tried_on_the_orders_there_are_and_nothing_is_written(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await store.take(*bought(0, "one"), *bought(33 * 60, "feast", 30))
    for name, value in store.database.settings.environment().items():
        monkeypatch.setenv(name, value)
    file = tmp_path / "rule.json"
    file.write_text(json.dumps(DOUBLE))
    before = await store.everything()
    sums = {"points_now": 130, "points_then": 160, "growth_now": 130, "growth_then": 130}
    assert await asyncio.to_thread(_told, file) == {"orders": 2, "changed": 1} | sums
    since = await asyncio.to_thread(_told, file, "--since", "2026-03-04")
    assert since["changed"] == 0
    words = (await asyncio.to_thread(CliRunner().invoke, app, ["try", str(file)])).stdout
    assert "1 of 2 orders would earn differently" in words
    assert await store.everything() == before


def _told(file: Path, *more: str) -> Any:
    return json.loads(CliRunner().invoke(app, ["try", str(file), *more, "--json"]).stdout)
