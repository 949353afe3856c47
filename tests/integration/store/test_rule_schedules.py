"""Rules that run by a schedule over a segment: each member is told once an occurrence."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from hub.errors import Refused
from hub.rules.document import MEMBER_DUE
from hub.store import rule_schedules, rules
from hub.store.rules import Span
from hub.testing import Database
from tests.event_maker import Shop
from tests.integration.store.delivery_stage import Receiver, serve
from tests.integration.store.rule_stage import LIN, RuleStage, bodies, stage_on

MINI, WEB = Shop("mini-program"), Shop("website")
RULE = """
rule: ending
trigger:
  channels: [mini-program]
  schedule: {every: day, at: "10:00", segment: points_at_risk}
map:
  - {target: account, from: data.account}
  - {target: points, from: data.count, type: integer}
actions: [{do: deliver, id: send, to: mini-program}]
order_key: data.account
"""


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    found, runner = await serve()
    yield found
    await runner.cleanup()


@pytest.fixture
async def stage(database: Database, receiver: Receiver) -> AsyncIterator[RuleStage]:
    made = await stage_on(database)
    await made.subscribe(receiver, "mini-program")
    yield made
    await made.close()
    await made.store.connection.close()


def earned(shop: Shop, account: str, points: int, days: int) -> bytes:
    """Points that end in so many days."""
    ends = (datetime.now(UTC) + timedelta(days=days)).isoformat()
    return shop.body(
        "points.earned", 0, event_id=f"{shop.channel}-{account}-{days}", account=account,
        points=points, reason="a gift", expires_at=ends,
    )  # fmt: skip


async def tick(stage: RuleStage) -> None:
    """The timer looks now, and all that it finds is told."""
    await stage.run_rules(1)
    stage.worker._timer._is_telling = True
    while await stage.worker.do_schedules():
        pass
    await stage.go()


async def next_day(stage: RuleStage) -> None:
    stage.clock.ahead += timedelta(days=1)
    await tick(stage)


def told(receiver: Receiver) -> list[dict[str, Any]]:
    return [one["data"] for one in bodies(receiver)]


async def test_whose_points_end_soon_is_told_once_each_time_the_schedule_is_due(
    stage: RuleStage, receiver: Receiver
) -> None:
    await stage.store.take(
        earned(MINI, "lin", 30, 10), earned(MINI, "mei", 20, 90), earned(WEB, "wang", 5, 10)
    )
    await stage.publish(RULE)
    await tick(stage)  # what was due before it was published is not caught up
    assert told(receiver) == []
    await next_day(stage)
    await tick(stage)
    assert told(receiver) == [{"account": "lin", "points": 30}]
    await next_day(stage)
    assert len(told(receiver)) == 2
    (run, _) = await stage.runs()
    assert (run["type"], run["state"]) == (MEMBER_DUE, "done")


async def test_a_members_points_are_counted_over_all_channels(
    stage: RuleStage, receiver: Receiver
) -> None:
    phone = [{"type": "phone", "value": "+8613912345678", "proof": "verified"}]
    await stage.store.take(
        MINI.body("member.registered", 0, account="lin", identifiers=phone),
        WEB.body("member.registered", 1, account="lin-web", identifiers=phone),
        earned(MINI, "lin", 30, 10),
        earned(WEB, "lin-web", 12, 20),
    )
    await stage.publish(RULE)
    await tick(stage)
    await next_day(stage)
    assert told(receiver) == [{"account": "lin", "points": 42}]


async def test_days_off_are_caught_up_once_and_a_new_version_waits_for_its_time(
    stage: RuleStage, receiver: Receiver
) -> None:
    await stage.store.take(earned(MINI, "lin", 30, 20))
    await stage.publish(RULE)
    await tick(stage)
    stage.clock.ahead += timedelta(days=5)
    await tick(stage)
    assert len(told(receiver)) == 1
    await stage.publish(RULE.replace("10:00", "10:01"))
    await tick(stage)
    assert len(told(receiver)) == 1


async def test_who_was_found_is_told_once_though_the_worker_died_in_between(
    stage: RuleStage, receiver: Receiver, database: Database
) -> None:
    accounts = [f"a{number}" for number in range(5)]
    await stage.store.take(*(earned(MINI, account, 7, 10) for account in accounts))
    await stage.publish(RULE)
    await tick(stage)
    stage.clock.ahead += timedelta(days=1)
    now, zone = stage.clock(), stage.settings.zone
    scheduled = stage.worker.runner.scheduled
    found = await rule_schedules.start(stage.store.connection, scheduled, now, zone)
    again = await rule_schedules.start(stage.store.connection, scheduled, now, zone)
    assert (found, again) == (1, 0)
    await stage.close()  # and another takes over
    later = await stage_on(database)
    later.clock.ahead = stage.clock.ahead
    await tick(later)
    await later.close()
    await later.store.connection.close()
    assert sorted(one["account"] for one in told(receiver)) == accounts


async def test_who_was_erased_after_being_found_is_not_told(
    stage: RuleStage, receiver: Receiver
) -> None:
    await stage.store.take(earned(MINI, "lin", 30, 10), earned(MINI, "mei", 20, 10))
    await stage.publish(RULE)
    await tick(stage)
    now = stage.clock() + timedelta(days=1)
    scheduled = stage.worker.runner.scheduled
    await rule_schedules.start(stage.store.connection, scheduled, now, stage.settings.zone)
    await stage.store.take(MINI.decision("member.erased", 5, account="lin", reason="asked for it"))
    await tick(stage)
    assert [one["account"] for one in told(receiver)] == ["mei"]
    assert await stage.store.value("select count(*) from rule_dues") == 0


async def test_a_paused_rule_tells_nobody_until_it_is_resumed(
    stage: RuleStage, receiver: Receiver
) -> None:
    await stage.store.take(earned(MINI, "lin", 30, 10))
    await stage.publish(RULE)
    await tick(stage)
    async with stage.store.connection.transaction():
        await rules.set_status(stage.store.connection, stage.store.vault, "ending", "paused", LIN)
    await next_day(stage)
    assert told(receiver) == []


async def test_it_runs_at_once_when_somebody_asks(stage: RuleStage, receiver: Receiver) -> None:
    await stage.store.take(earned(MINI, "lin", 30, 10))
    connection = stage.store.connection
    with pytest.raises(Refused):
        await rule_schedules.ask(connection, "ending", "lin")
    await stage.publish(RULE)
    await tick(stage)
    await rule_schedules.ask(connection, "ending", "lin")
    await tick(stage)
    await tick(stage)
    assert len(told(receiver)) == 1


async def test_two_schedules_over_one_segment_run_their_own_rules(
    stage: RuleStage, receiver: Receiver
) -> None:
    await stage.store.take(earned(MINI, "lin", 30, 10))
    await stage.publish(RULE)
    await stage.publish(RULE.replace("rule: ending", "rule: other"))
    await tick(stage)
    await rule_schedules.ask(stage.store.connection, "other", "lin")
    await tick(stage)
    assert [one["type"] for one in bodies(receiver)] == ["rule.other"]


async def test_a_dry_run_takes_the_segment_as_it_is_now(stage: RuleStage) -> None:
    await stage.store.take(earned(MINI, "lin", 30, 10), earned(WEB, "wang", 5, 10))
    await stage.publish(RULE)
    (live,) = await rules.live(stage.store.connection)
    now = datetime.now(UTC)
    span = Span([MEMBER_DUE], now - timedelta(days=1), now, over=rules.document_of(live))
    found = await rules.facts(stage.store.connection, stage.store.vault, span)
    assert [(fact.channel, fact.data["count"]) for _, fact in found] == [("mini-program", 30)]


async def test_unused_coupons_that_end_soon_make_a_segment(
    stage: RuleStage, receiver: Receiver
) -> None:
    ends = (datetime.now(UTC) + timedelta(days=3)).isoformat()
    sold = {"kind": "discount", "face_value": "10.00", "currency": "CNY", "valid_until": ends}
    await stage.store.take(
        MINI.body("coupon.issued", 0, code="7KQ2-M8XD-4RTW", account="lin", template="tea", **sold)
    )
    await stage.publish(RULE.replace("points_at_risk", "coupons_at_risk"))
    await tick(stage)
    await rule_schedules.ask(stage.store.connection, "ending", "lin")
    await tick(stage)
    assert told(receiver) == [{"account": "lin", "points": 1}]
