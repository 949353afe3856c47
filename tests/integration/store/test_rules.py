"""Sync rules are published as facts among facts: versions, approval, and trials on real events."""

import asyncio
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from hub.cli.rules import app
from hub.domain import ids
from hub.errors import Refused
from hub.rules import checking, ruleset, running, trial
from hub.rules.problems import RuleInvalid
from hub.store import approvals, configs, db, rules
from hub.store.configs import Draft
from hub.store.replay import replay
from hub.store.rules import Outcome, RuleUnknown, Span, Word
from hub.testing import Database
from tests.event_maker import Shop, line
from tests.integration.store.stage import Store

EVER = (datetime(2020, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC))
ORDERS = Span(["order.placed"], *EVER)
LIN = Word("lin", "agreed in March")


def written(name: str = "to-website", to: str = "website", events: str = "order.placed") -> str:
    return (
        f"rule: {name}\ntrigger: {{events: [{events}]}}\n"
        "map: [{target: number, from: event.subject}]\n"
        f"actions: [{{do: deliver, id: send, to: {to}}}]\n"
    )


def giving(name: str, event: str, do: str) -> str:
    more = {
        "issue_coupon": "",
        "adjust_points": ", {target: points, constant: 1, type: integer},"
        " {target: reason, constant: r}",
    }
    given = f"{{target: member, constant: m}}{more[do]}"
    return (
        f"rule: {name}\ntrigger: {{events: [{event}]}}\n"
        f"actions: [{{do: {do}, id: give, to: gift, with: [{given}]}}]\n"
    )


async def publish(store: Store, text: str, word: Word = LIN) -> Outcome:
    async with store.connection.transaction():
        return await rules.publish(store.connection, store.vault, text, word)


async def order(store: Store, shop: Shop, number: int) -> None:
    lines = [line(1, "cake", 1, "198")]
    said: dict[str, Any] = {"order_number": f"W-{number}", "currency": "CNY", "lines": lines}
    await store.take(
        shop.body("order.placed", number, subject=f"W-{number}", total="198.00", **said)
    )


async def test_a_rule_published_while_events_are_in_flight_splits_them_at_one_point(
    store: Store,
) -> None:
    shop = Shop()
    for number, to in ((1, "website"), (2, "website"), (3, "mini-program")):
        await publish(store, written(to=to))
        await order(store, shop, number)
    ran = []
    for position, fact in await rules.facts(store.connection, store.vault, ORDERS):
        ready = rules.ruleset(await rules.live(store.connection, position))
        (run,) = ruleset.run(ready, fact)
        ran.append((fact.subject, run.version, run.effects[0].to))
    assert ran == [
        ("W-1", 1, "website"),
        ("W-2", 2, "website"),
        ("W-3", 3, "mini-program"),
    ]


async def test_versions_say_who_when_and_why_and_can_be_rolled_back(store: Store) -> None:
    await publish(store, written())
    await publish(store, written(to="mini-program"), Word("wang", "the app is open"))
    async with store.connection.transaction():
        await rules.roll_back(store.connection, store.vault, "to-website", 1, Word("lin", "oops"))
    found = await rules.history(store.connection, "to-website")
    assert [(v.number, v.by, v.reason) for v in found] == [
        (1, "lin", "agreed in March"),
        (2, "wang", "the app is open"),
        (3, "lin", "oops"),
    ]
    assert found[2].rule == found[0].rule
    assert checking.check(found[2].written).rule == checking.check(written()).rule
    with pytest.raises(RuleUnknown):
        await rules.history(store.connection, "nobody")


async def test_a_paused_rule_runs_for_no_event_from_then_on(store: Store) -> None:
    shop = Shop()
    await publish(store, written())
    await order(store, shop, 1)
    async with store.connection.transaction():
        await rules.set_status(store.connection, store.vault, "to-website", "paused", LIN)
    await order(store, shop, 2)
    facts = await rules.facts(store.connection, store.vault, ORDERS)
    running_then = [len(await rules.live(store.connection, position)) for position, _ in facts]
    assert running_then == [1, 0]


async def test_rules_that_would_start_one_another_are_refused_in_words(store: Store) -> None:
    await publish(store, giving("gift", "points.adjusted", "issue_coupon"))
    with pytest.raises(Refused, match="'bonus' writes what rule 'gift' reads"):
        await publish(store, giving("bonus", "coupon.issued", "adjust_points"))
    assert len(await rules.live(store.connection)) == 1


async def test_two_rules_for_one_target_are_told_and_published(store: Store) -> None:
    await publish(store, written())
    outcome = await publish(store, written("second"))
    assert [finding.code for finding in outcome.findings] == ["conflict", "no_receiver"]


async def test_a_second_person_approves_where_that_is_configured(store: Store) -> None:
    async with store.connection.transaction():
        limit = Draft("approvals", "rules", {"limit": 0}, "four eyes")
        await configs.publish(store.connection, store.vault, limit)
    outcome = await publish(store, written())
    assert outcome.approval_id is not None
    assert await rules.live(store.connection) == []
    async with store.connection.transaction():
        await approvals.grant(store.connection, store.vault, outcome.approval_id, "wang")
    assert [one.name for one in await rules.live(store.connection)] == ["to-website"]
    assert ids.text(outcome.approval_id)


async def test_a_rule_that_is_not_right_is_not_published(store: Store) -> None:
    with pytest.raises(RuleInvalid, match=r"order\.plased"):
        await publish(store, written(events="order.plased"))
    assert await rules.versions(store.connection) == []


async def test_a_dry_run_over_real_events_counts_beside_the_live_version(store: Store) -> None:
    shop = Shop()
    await publish(store, written())
    for number in (1, 2):
        await order(store, shop, number)
    live = rules.ruleset(await rules.live(store.connection)).rules["to-website"]
    draft = running.compile_rule(checking.check(written(to="mini-program")), 0)
    facts = [fact for _, fact in await rules.facts(store.connection, store.vault, ORDERS)]
    tried = trial.dry_run(draft, live, facts)
    assert (tried.facts, tried.changed, tried.created, tried.failed) == (2, 2, 0, 0)
    assert await store.value("select count(*) from outbox where type <> 'order.placed'") == 1


async def test_a_replay_finds_the_same_rules(store: Store) -> None:
    await publish(store, written())
    result = await replay(store.database.dsn("owner"), store.vault)
    assert result.is_equal


def test_the_command_publishes_tries_compares_and_round_trips_rules(
    database: Database, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name, value in database.settings.environment().items():
        monkeypatch.setenv(name, value)
    # The bound of memory is for a process of its own, not for the tests'.
    monkeypatch.setattr("resource.setrlimit", lambda *limit: None)

    async def one_order() -> None:
        store = Store(database, await db.connect(database.dsn("writer")))
        await order(store, Shop(), 1)
        await store.connection.close()

    def run(*words: str, code: int = 0) -> Any:
        done = CliRunner().invoke(app, [*words, "--json"])
        assert done.exit_code == code, done.output
        return json.loads(done.output)

    asyncio.run(one_order())
    old, new = tmp_path / "old.yaml", tmp_path / "new.yaml"
    old.write_text(written())
    new.write_text(written(to="mini-program"))
    assert run("publish", str(old), "--reason", "first")["approval_id"] is None
    (tested,) = run("test", str(new), "--event", "e-1")
    assert tested["effects"][0]["body"] == {"number": "W-1"}
    assert [step["kind"] for step in tested["steps"]] == ["condition", "map", "deliver"]
    tried = run("dry-run", str(new))
    assert (tried["facts"], tried["changed"]) == (1, 1)
    assert "+  to: mini-program" in run("diff", str(new))["lines"]
    assert run("runs")["runs"] == []
    assert run("figures")["versions"] == []
    run("run", "1", code=1)
    run("retry", "1", code=1)
    span = ("--since", "2020-01-01T00:00:00")
    assert run("replay", "to-website", *span)["runs"] == 1
    (made,) = run("runs", "to-website")["runs"]
    assert (made["state"], made["version"]) == ("waiting", 1)
    seen = run("run", str(made["run_id"]))
    assert [step["kind"] for step in seen["steps"]] == ["condition", "map", "deliver"]
    run("publish", str(new), "--reason", "second")
    run("rollback", "to-website", "1", "--reason", "no")
    run("pause", "to-website", "--reason", "night")
    assert [one["status"] for one in run("list", "to-website")["rules"]][-1] == "paused"
    run("pause", "to-website", "--reason", "again", code=1)
    run("resume", "to-website", "--reason", "day")
    assert run("export", str(tmp_path / "rules"))["rules"] == ["to-website"]
    assert run("apply", str(tmp_path / "rules"), "--reason", "git")["published"] == []
    (tmp_path / "rules" / "to-website.yaml").write_text(written(to="mini-program"))
    changed = run("apply", str(tmp_path / "rules"), "--reason", "git")["published"]
    assert changed == ["to-website"]
