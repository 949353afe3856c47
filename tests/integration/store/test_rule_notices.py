"""A rule notifies a person: only who agreed, not at night, and not too often."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from hub.store import configs
from hub.store.configs import Draft
from hub.testing import Database
from tests.event_maker import Shop
from tests.integration.store.delivery_stage import Receiver, serve
from tests.integration.store.rule_stage import RuleStage, bodies, stage_on

WEB, MINI = Shop("web"), Shop("mini")
PHONE = {"type": "phone", "value": "139 1234 5678", "proof": "verified"}
REMIND = """
rule: remind
trigger: {events: [points.earned]}
actions:
  - do: notify
    id: remind
    to: sender
    with:
      - {target: member, from: data.account}
      - {target: purpose, constant: PURPOSE}
      - {target: medium, constant: sms}
      - {target: points, from: data.points, type: integer}
"""
NOON = {"quiet": {"since": "12:00", "until": "12:01"}}


@pytest.fixture
async def stage(database: Database) -> AsyncIterator[RuleStage]:
    made = await stage_on(database)
    at_noon(made)
    yield made
    await made.close()
    await made.store.connection.close()


@pytest.fixture
async def sender(stage: RuleStage) -> AsyncIterator[Receiver]:
    receiver, runner = await serve()
    await stage.subscribe(receiver, "sender")
    yield receiver
    await runner.cleanup()


def at_noon(stage: RuleStage, days: int = 1) -> None:
    """It is a noon of the business's zone from now on, whenever the test runs."""
    now = datetime.now(UTC).astimezone(stage.settings.zone)
    noon = now.replace(hour=12, minute=30, second=0) + timedelta(days=days)
    stage.clock.ahead = noon - now


async def begin(stage: RuleStage, purpose: str) -> None:
    """A rule reminds Mei for a purpose."""
    await stage.publish(REMIND.replace("PURPOSE", purpose))
    await stage.store.take(WEB.body("member.registered", 0, account="mei"))


async def agree(stage: RuleStage, shop: Shop, minute: float, *, granted: bool = True) -> None:
    said = {"purpose": "marketing", "medium": "sms", "granted": granted}
    await stage.store.take(shop.body("member.consent_changed", minute, account="mei", **said))


async def earn(stage: RuleStage, minute: float, points: int = 5) -> None:
    await stage.store.take(WEB.body("points.earned", minute, account="mei", points=points))
    await stage.go()


async def results(stage: RuleStage) -> list[dict[str, Any] | None]:
    return [one["result"] for one in await stage.effects()]


async def test_only_who_agreed_is_told_and_the_last_word_counts(
    stage: RuleStage, sender: Receiver
) -> None:
    await begin(stage, "marketing")
    await earn(stage, 1)
    assert await results(stage) == [{"withheld": "no_consent"}]
    await agree(stage, WEB, 2)
    await earn(stage, 3, points=7)
    told = {"member": "mei", "purpose": "marketing", "medium": "sms", "points": 7}
    assert [one["data"] for one in bodies(sender)] == [told]
    await agree(stage, WEB, 4, granted=False)
    await earn(stage, 5)
    assert len(bodies(sender)) == 1
    assert [run["state"] for run in await stage.runs()] == ["done", "done", "done"]


async def test_what_a_person_said_in_another_channel_counts(
    stage: RuleStage, sender: Receiver
) -> None:
    await stage.publish(REMIND.replace("PURPOSE", "marketing"))
    for shop in (WEB, MINI):
        identified = {"account": "mei", "identifiers": [PHONE]}
        await stage.store.take(shop.body("member.registered", 0, **identified))
    await agree(stage, WEB, 1)
    await agree(stage, MINI, 2, granted=False)
    await earn(stage, 3)
    assert bodies(sender) == []


async def test_nobody_is_told_more_often_than_the_cap_by_all_rules_together(
    stage: RuleStage, sender: Receiver
) -> None:
    await begin(stage, "marketing")
    again = REMIND.replace("PURPOSE", "marketing").replace("rule: remind", "rule: remind-again")
    await stage.publish(again)
    await agree(stage, WEB, 1)
    for minute in (2, 3):
        await earn(stage, minute)
    assert len(bodies(sender)) == 3
    assert (await results(stage)).count({"withheld": "frequency_cap"}) == 1
    at_noon(stage, days=9)
    await earn(stage, 4)
    assert len(bodies(sender)) == 5


async def test_who_would_be_woken_is_told_in_the_morning(
    stage: RuleStage, sender: Receiver
) -> None:
    await begin(stage, "marketing")
    await agree(stage, WEB, 1)
    stage.clock.ahead += timedelta(hours=12)
    await earn(stage, 2)
    assert bodies(sender) == []
    stage.clock.ahead += timedelta(hours=7)
    await stage.go()
    assert bodies(sender) == []
    stage.clock.ahead += timedelta(hours=1)
    await stage.go()
    assert len(bodies(sender)) == 1


async def test_a_service_notice_needs_no_consent_and_a_policy_is_configuration(
    stage: RuleStage, sender: Receiver
) -> None:
    await begin(stage, "service")
    await earn(stage, 1)
    assert len(bodies(sender)) == 1
    async with stage.store.connection.transaction():
        draft = Draft("notices", "default", NOON | {"free": []}, "a test")
        await configs.publish(stage.store.connection, stage.store.vault, draft)
    at_noon(stage)
    await earn(stage, 2)
    assert await results(stage) == [
        {
            "deliveries": 1,
            "purpose": "service",
            "profile_id": await stage.store.value("select profile_id::text from profiles"),
        },
        {"withheld": "no_consent"},
    ]


async def test_a_notice_to_nobody_the_hub_knows_fails_its_run(
    stage: RuleStage, sender: Receiver
) -> None:
    rule = REMIND.replace("PURPOSE", "service").replace("from: data.account", "constant: ghost")
    await stage.publish(rule + "on_error: {retries: 0, then: keep}\n")
    await stage.store.take(WEB.body("member.registered", 0, account="mei"))
    await earn(stage, 1)
    (effect,) = await stage.effects()
    assert effect["state"] == "failed"
    assert effect["last_error"].startswith("no_account")
