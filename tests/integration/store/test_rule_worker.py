"""The rules worker: each fact under one version, effects once, failures by the rule's policy."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from hub.rules import ruleset
from hub.store import approvals, configs, deliveries, rule_book, rules
from hub.store.configs import Draft
from hub.store.rule_book import RuleBook
from hub.testing import Database
from tests.event_maker import Shop, line
from tests.integration.store.delivery_stage import Receiver, serve
from tests.integration.store.rule_stage import LIN, RuleStage, bodies, stage_on

WEB = Shop("web")


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    found, runner = await serve()
    yield found
    await runner.cleanup()


@pytest.fixture
async def other() -> AsyncIterator[Receiver]:
    found, runner = await serve()
    yield found
    await runner.cleanup()


@pytest.fixture
async def stage(database: Database) -> AsyncIterator[RuleStage]:
    made = await stage_on(database)
    yield made
    await made.close()
    await made.store.connection.close()


def rule(name: str = "to-website", *actions: str, **parts: str) -> str:
    known = {
        "trigger": "{events: [order.placed]}",
        "map": "[{target: number, from: data.order_number}, "
        "{target: fen, from: data.total, type: money, output: minor}]",
        "actions": f"[{', '.join(actions or ('{do: deliver, id: send, to: website}',))}]",
    } | parts
    return f"rule: {name}\n" + "".join(f"{key}: {value}\n" for key, value in known.items())


def placed(number: int | str, total: str = "30.00", **more: Any) -> bytes:
    cake = line(1, "cake", 1, total)
    said: dict[str, Any] = {"order_number": f"W-{number}", "currency": "CNY", "lines": [cake]}
    said |= {"buyer": {"account": "mei"}, "total": total}
    return WEB.body("order.placed", 1, subject=f"W-{number}", **(said | more))


def given(**fields: str) -> str:
    parts = [f"{{target: {name}, {source}}}" for name, source in fields.items()]
    return f"[{', '.join(parts)}]"


MEMBER = "from: data.buyer.account, type: member"
POINTS = "constant: 5, type: integer"


async def test_an_order_reaches_the_website_by_the_rules_own_map(
    stage: RuleStage, receiver: Receiver
) -> None:
    await stage.subscribe(receiver, "website")
    await stage.publish(rule())
    await stage.store.take(placed(1), placed(2, "12.50"))
    await stage.go()
    told = bodies(receiver)
    assert [one["data"] for one in told] == [
        {"number": "W-1", "fen": 3000},
        {"number": "W-2", "fen": 1250},
    ]
    assert {one["type"] for one in told} == {"rule.to-website"}
    assert {one["source"] for one in told} == {"/hub/rules/to-website"}
    assert {(one["hubhops"], one["ruleversion"]) for one in told} == {(1, "1")}
    assert [(one["state"], one["version"]) for one in await stage.runs()] == [("done", 1)] * 2


async def test_runs_that_were_forgotten_and_are_made_again_tell_nobody_twice(
    stage: RuleStage, receiver: Receiver
) -> None:
    await stage.subscribe(receiver, "website")
    await stage.publish(rule())
    before = await stage.store.rows(
        "select xid, outbox_id from outbox_readers where reader = 'rules'"
    )
    await stage.go()
    await stage.store.take(*(placed(number) for number in range(60)))
    await stage.go()
    await stage.store.connection.execute("delete from rule_runs")
    await stage.store.connection.execute(
        "update outbox_readers set xid = $1, outbox_id = $2 where reader = 'rules'",
        *before[0].values(),
    )
    await stage.go()
    assert len(await stage.runs()) == 60
    assert len(receiver.bodies) == 60
    assert await stage.store.value("select count(*) from deliveries where rule is not null") == 60


async def test_only_the_channel_that_the_rule_names_is_told(
    stage: RuleStage, receiver: Receiver, other: Receiver
) -> None:
    await stage.subscribe(receiver, "website", "rule.to-website")
    await stage.subscribe(other, "mini-program", "*")
    await stage.publish(rule())
    await stage.store.take(placed(1))
    await stage.go()
    assert len(receiver.bodies) == 1
    assert [one for one in bodies(other) if one["type"].startswith("rule.")] == []


async def test_a_rule_published_while_events_are_in_flight_runs_each_under_one_version(
    stage: RuleStage, receiver: Receiver
) -> None:
    await stage.subscribe(receiver, "website")
    seen: list[str] = []
    for number in range(1, 7):
        if number in (1, 4):
            await stage.publish(rule(when=f"[{{cel: '{number} > 0'}}]"))
        await stage.store.take(placed(number))
        seen.append(f"W-{number}")
        if number == 2:
            await stage.run_rules()
    await stage.go()
    versions = {one["data"]["number"]: one["ruleversion"] for one in bodies(receiver)}
    assert versions == {name: "1" if name < "W-4" else "2" for name in seen}
    runs = await stage.runs()
    assert len({one["fact_key"] for one in runs}) == len(runs) == 6


async def test_commands_are_made_once_named_after_the_effect(stage: RuleStage) -> None:
    points = f"{{do: earn_points, id: give, with: {given(member=MEMBER, points=POINTS)}}}"
    coupon = (
        f"{{do: issue_coupon, id: cake, to: birthday, with: "
        f"{given(member=MEMBER, face_value='constant: 10.00', currency='constant: CNY')}}}"
    )
    tag = f"{{do: tag_member, id: tag, with: {given(member=MEMBER, tag='constant: cake')}}}"
    case = (
        "{do: open_case, id: look, with: [{target: what, template: 'look at {{event.subject}}'}]}"
    )
    await stage.publish(rule("gifts", points, coupon, tag, case))
    await stage.store.take(placed(1))
    await stage.run_rules()
    assert [one["state"] for one in await stage.effects()] == ["done"] * 4
    assert await stage.store.value("select sum(points) from points_entries") == 5
    assert await stage.store.value("select template from coupons") == "birthday"
    tagged = await stage.store.value("select attributes ->> 'tag.cake' from profiles")
    assert tagged == "yes"
    opened = await stage.store.row("select object_kind, detail from cases where kind = 'manual'")
    assert opened == {"object_kind": "order", "detail": {"reason": "look at W-1"}}
    named = await stage.store.rows(
        "select event_id, count(*) as n from log.events where source = '/hub'"
        " and event_id like 'eff_%' group by 1"
    )
    assert len(named) == 4
    await stage.run_rules()
    assert [one["state"] for one in await stage.runs()] == ["done"]


async def test_what_was_not_noted_as_done_is_done_again_and_has_one_effect(
    stage: RuleStage,
) -> None:
    points = f"{{do: earn_points, id: give, with: {given(member=MEMBER, points=POINTS)}}}"
    await stage.publish(rule("gifts", points))
    await stage.store.take(placed(1))

    async def dies(*_: Any, **__: Any) -> None:
        raise OSError("killed before the commit")

    ended, stage.worker.doer._end = stage.worker.doer._end, dies
    import streams.rules.doer as doer

    away, doer.AWAY_S = doer.AWAY_S, 0.0
    await stage.run_rules(2)
    doer.AWAY_S = away
    assert await stage.store.value("select count(*) from points_entries") == 0
    stage.worker.doer._end = ended
    await stage.run_rules(2)
    assert await stage.store.value("select sum(points) from points_entries") == 5


async def test_rule_a_triggers_b_triggers_a_is_stopped_by_hop_count_with_the_reason(
    stage: RuleStage,
) -> None:
    # Both wait for a second person, so neither is live when the other is looked at.
    async with stage.store.connection.transaction():
        limit = Draft("approvals", "rules", {"limit": 0}, "four eyes")
        await configs.publish(stage.store.connection, stage.store.vault, limit)
    account = "from: data.account, type: member"
    gift = f"{{do: issue_coupon, id: c, to: gift, with: {given(member=account)}}}"
    back = {"member": account, "points": "constant: 1, type: integer", "reason": "constant: r"}
    bonus = f"{{do: adjust_points, id: p, with: {given(**back)}}}"
    asked = [
        await stage.publish(rule("a", gift, trigger="{events: [points.adjusted]}", map="[]")),
        await stage.publish(rule("b", bonus, trigger="{events: [coupon.issued]}", map="[]")),
    ]
    for outcome in asked:
        assert outcome.approval_id is not None
        async with stage.store.connection.transaction():
            await approvals.grant(
                stage.store.connection, stage.store.vault, outcome.approval_id, "wang"
            )
    await stage.store.take(placed(1))
    await stage.store.take(
        WEB.body("points.adjusted", 2, account="mei", points=1, reason="to begin")
    )
    await stage.run_rules(12)
    runs = await stage.runs()
    assert [one["state"] for one in runs] == ["done"] * 8 + ["failed"]
    assert runs[-1]["hops"] == 8
    assert runs[-1]["failures"][0]["code"] == "too_many_hops"
    (case,) = await stage.store.rows("select * from cases where object_kind = 'rule'")
    assert case["object_key"] == runs[-1]["rule"]


async def test_a_target_down_for_2_hours_keeps_order_per_entity_and_others_are_told(
    stage: RuleStage, receiver: Receiver, other: Receiver
) -> None:
    await stage.subscribe(receiver, "website")
    await stage.subscribe(other, "mini-program")
    send = "{do: deliver, id: send, to: website}, {do: deliver, id: too, to: mini-program}"
    types = "[{target: type, from: event.type}]"
    trigger = "{events: [order.placed, order.paid]}"
    await stage.publish(rule("both", send, trigger=trigger, map=types))
    receiver.is_away = True
    for number in range(4):
        paid = WEB.body(
            "order.paid", 5, subject=f"W-{number}", order_number=f"W-{number}", amount="30.00",
            currency="CNY", method="card", payment_id=f"p-{number}",
        )  # fmt: skip
        await stage.store.take(placed(number))
        await stage.store.take(paid)
        stage.clock.ahead = timedelta(minutes=40 * number)
        await stage.go(2)
    assert receiver.bodies == []
    assert len(other.bodies) == 8
    receiver.is_away = False
    stage.clock.ahead += timedelta(minutes=2)
    await stage.go(20)
    told: dict[str, list[str]] = {}
    for one in bodies(receiver):
        told.setdefault(one["subject"], []).append(one["data"]["type"])
    assert told == {f"W-{n}": ["order.placed", "order.paid"] for n in range(4)}


async def test_a_rule_that_fails_delays_no_other_and_opens_one_case(
    stage: RuleStage, receiver: Receiver
) -> None:
    await stage.subscribe(receiver, "website")
    await stage.publish(rule("bad", map="[{target: x, from: data.place}]"))
    await stage.publish(rule("good"))
    await stage.store.take(*(placed(number) for number in range(5)))
    await stage.go()
    assert len(receiver.bodies) == 5
    assert {one["state"] for one in await stage.runs("bad")} == {"failed"}
    (failure,) = (await stage.runs("bad"))[0]["failures"]
    assert (failure["path"], failure["code"]) == ("$.map[0]", "missing")
    assert await stage.store.value("select count(*) from cases where object_key = 'bad'") == 1


async def test_then_pause_stops_the_rule_and_then_keep_says_nothing(stage: RuleStage) -> None:
    wrong = "[{target: x, from: data.place}]"
    await stage.publish(rule("stops", map=wrong, on_error="{then: pause}"))
    await stage.publish(rule("keeps", map=wrong, on_error="{then: keep}"))
    await stage.store.take(placed(1))
    await stage.run_rules()
    await stage.store.take(placed(2))
    await stage.run_rules()
    newest = (await rules.history(stage.store.connection, "stops"))[-1]
    assert (newest.status, newest.by) == ("paused", "rules worker")
    assert [len(await stage.runs(name)) for name in ("stops", "keeps")] == [1, 2]
    assert await stage.store.value("select count(*) from cases") == 0


async def test_a_refused_effect_is_tried_as_often_as_the_rule_says(stage: RuleStage) -> None:
    void = f"{{do: void_coupon, id: v, with: {given(code='constant: NONE', reason='constant: r')}}}"
    await stage.publish(rule("voids", void, on_error="{retries: 2}"))
    await stage.store.take(placed(1))
    await stage.run_rules(2)
    for hours in (1, 2, 3):
        stage.clock.ahead = timedelta(hours=hours)
        await stage.run_rules(2)
    (effect,) = await stage.effects()
    assert (effect["state"], effect["attempts"]) == ("failed", 3)
    assert effect["last_error"].startswith("coupon_unknown")
    assert [one["state"] for one in await stage.runs()] == ["failed"]
    assert await stage.store.value("select count(*) from cases where object_key = 'voids'") == 1


async def test_a_rate_lets_so_many_through_and_the_rest_waits_in_order(
    stage: RuleStage, receiver: Receiver
) -> None:
    await stage.subscribe(receiver, "website")
    await stage.publish(rule(rate="{max: 2, seconds: 3600}"))
    await stage.store.take(*(placed(number) for number in range(5)))
    for hours, count in ((0, 2), (2, 4), (4, 5)):
        stage.clock.ahead = timedelta(hours=hours)
        await stage.go()
        assert len(receiver.bodies) == count, hours
    numbers = [one["data"]["number"] for one in bodies(receiver)]
    assert [set(numbers[:2]), set(numbers[2:4])] == [{"W-0", "W-1"}, {"W-2", "W-3"}]


async def test_a_wait_waits_and_a_pause_holds_what_waits(
    stage: RuleStage, receiver: Receiver
) -> None:
    await stage.subscribe(receiver, "website")
    later = "{do: wait, id: w, seconds: 600}, {do: deliver, id: send, to: website}"
    await stage.publish(rule("later", later))
    await stage.store.take(placed(1))
    await stage.go()
    assert receiver.bodies == []
    async with stage.store.connection.transaction():
        await rules.set_status(stage.store.connection, stage.store.vault, "later", "paused", LIN)
    stage.clock.ahead = timedelta(minutes=11)
    await stage.go()
    assert receiver.bodies == []
    async with stage.store.connection.transaction():
        await rules.set_status(stage.store.connection, stage.store.vault, "later", "published", LIN)
    await stage.go()
    assert len(receiver.bodies) == 1


async def test_what_waits_of_a_rule_that_is_put_away_is_dropped(stage: RuleStage) -> None:
    later = ("{do: wait, id: w, seconds: 600}", "{do: deliver, id: s, to: x}")
    await stage.publish(rule("later", *later))
    await stage.store.take(placed(1))
    await stage.run_rules()
    async with stage.store.connection.transaction():
        await rules.set_status(stage.store.connection, stage.store.vault, "later", "archived", LIN)
    await stage.run_rules()
    assert [one["state"] for one in await stage.effects()] == ["dropped"]


async def test_a_channel_without_a_subscription_is_a_failure_never_silence(
    stage: RuleStage, receiver: Receiver
) -> None:
    outcome = await stage.publish(rule())
    assert [one.code for one in outcome.findings] == ["no_receiver"]
    await stage.store.take(placed(1))
    await stage.run_rules(2)
    (effect,) = await stage.effects()
    assert "no subscription of channel 'website' takes rule.to-website" in effect["last_error"]
    await stage.subscribe(receiver, "website")
    stage.clock.ahead = timedelta(seconds=10)
    await stage.go()
    assert len(receiver.bodies) == 1
    assert [one["state"] for one in await stage.runs()] == ["done"]


async def test_stock_that_changes_is_told_as_it_is_then_once_for_all_changes(
    stage: RuleStage, receiver: Receiver
) -> None:
    await stage.subscribe(receiver, "website")
    fields = "[{target: sku, from: data.sku}, {target: left, from: data.available, type: integer}]"
    await stage.publish(rule("stock", trigger="{events: [stock.changed]}", map=fields))
    await stage.store.take(
        WEB.body(
            "stock.counted", 0, sku="cake", place="xuhui", quantity="9",
            measured_at="2026-03-01T08:00:00Z",
        )
    )  # fmt: skip
    await stage.run_rules()
    for minute in (1, 2):
        await stage.store.take(
            WEB.body("stock.adjusted", minute, sku="cake", place="xuhui", delta="-2")
        )
        await stage.run_rules()
    await stage.go()
    assert [one["data"] for one in bodies(receiver)] == [{"sku": "cake", "left": 5}]


async def test_who_was_erased_is_not_told_about_any_more(
    stage: RuleStage, receiver: Receiver
) -> None:
    await stage.subscribe(receiver, "website")
    fields = "[{target: name, from: data.name}]"
    await stage.publish(rule("names", trigger="{events: [member.registered]}", map=fields))
    receiver.is_away = True
    await stage.store.take(WEB.body("member.registered", 0, account="mei", name="王小梅"))
    await stage.go()
    await stage.store.take(WEB.decision("member.erased", 5, account="mei", reason="asked"))
    receiver.is_away = False
    stage.clock.ahead = timedelta(minutes=5)
    await stage.go()
    assert receiver.bodies == []
    assert await stage.store.value("select state from deliveries") == "delivered"
    kept = await stage.store.value("select string_agg(r::text, '') from rule_runs as r")
    assert "mei" not in kept
    assert "王" not in kept


async def test_a_dry_run_predicts_what_receivers_are_told_exactly(
    stage: RuleStage, receiver: Receiver
) -> None:
    await stage.subscribe(receiver, "website")
    lines = "{target: lines, from: data.lines, type: list, items: [{target: s, from: item.sku}]}"
    computed = "{target: many, computed: 'data.lines.size() > 1', type: boolean}"
    text = rule(
        map=f"[{{target: number, from: data.order_number}}, {lines}, {computed}]",
        when="[{field: data.total, op: gte, value: '20', type: money}]",
    )
    await stage.publish(text)
    await stage.store.take(*(placed(number, f"{number * 7}.00") for number in range(1, 9)))
    ready = await RuleBook().in_force(stage.store.connection, (2**62, 0))
    from tests.integration.store.test_rules import ORDERS

    found = await rules.facts(stage.store.connection, stage.store.vault, ORDERS)
    expected = [
        rule_book.cloud_event("to-website", run.version, fact, effect)
        for _, fact in found
        for run in ruleset.run(ready, fact)
        for effect in run.effects
    ]
    await stage.go()
    by_id = {one["id"]: one for one in bodies(receiver)}
    assert by_id == {one["id"]: one for one in expected}
    assert len(by_id) == 6


async def test_a_delivery_that_is_refused_is_tried_as_the_rule_says_and_fails_its_run(
    stage: RuleStage, receiver: Receiver
) -> None:
    await stage.subscribe(receiver, "website")
    await stage.publish(rule(on_error="{retries: 1}"))
    receiver.statuses = [400, 400]
    await stage.store.take(placed(1))
    for hours in (0, 1, 2):
        stage.clock.ahead = timedelta(hours=hours)
        await stage.go(3)
    assert [one["state"] for one in await stage.runs()] == ["failed"]
    assert await stage.store.value("select count(*) from cases where object_kind = 'rule'") == 1
    delivery_id = await stage.store.value("select delivery_id from deliveries")
    async with stage.store.connection.transaction():
        assert await deliveries.retry(stage.store.connection, delivery_id)
    await stage.go()
    assert len(receiver.bodies) == 1
    assert [one["state"] for one in await stage.runs()] == ["done"]
