"""Running rules again: a run that failed, from the start or from an action, by its own version or
the current one; a range of facts by the current one; or saying that a failure stays as it is.

What was done stays done: an effect has one name, and by another version of the rule an action is
done only if no other version did it about the same fact.
"""

from collections.abc import Collection
from datetime import datetime
from typing import Literal

from msgspec import Struct, to_builtins

from hub.domain import ids
from hub.errors import HubError, Refused
from hub.rules import ruleset
from hub.rules.facts import STOCK_CHANGED, Run
from hub.rules.ruleset import Ruleset
from hub.store import deliveries, outbox, rule_book, rule_effects, rule_runs, rules
from hub.store.db import Connection, queries
from hub.store.outbox import Fact
from hub.store.rule_book import About, RuleBook
from hub.store.rule_runs import Made
from hub.store.sealing import Vault

REPLAY_FACTS_MAX = 10_000


class RunUnknown(HubError):
    """There is no such run."""


class Again(Struct, frozen=True):
    """How a run is made again, and who wants it. start_at: an action, None for all."""

    by: str
    version: Literal["same", "current"] = "same"
    start_at: str | None = None


class Desk(Struct, frozen=True):
    """What running again needs: a connection in a transaction, the vault and the versions."""

    connection: Connection
    vault: Vault
    book: RuleBook


async def retry(desk: Desk, run_id: int, again: Again) -> int:
    """Run a failed run again; the run that it is now. Raises `RunUnknown`, `Refused`."""
    connection = desk.connection
    await connection.fetchval(queries("rule_runs")["lock"], run_id)
    row = await rule_runs.one(connection, run_id)
    if row is None:
        raise RunUnknown
    if row["state"] not in ("failed", "dismissed"):
        raise Refused("run_not_failed", f"the run is {row['state']}, not failed")
    number = row["version"]
    if again.version == "current":
        number = await _current(connection, row["rule"])
    compiled = await desk.book.version(connection, row["rule"], number)
    about = About((row["xid"], row["outbox_id"]), row["sku"], row["place"])
    (cause,) = await outbox.at(connection, desk.vault, [about.position])
    found = await rule_book.made(connection, desk.vault, compiled, about)
    if found is None:
        raise Refused("person_erased", "the person was erased: nothing is left to run on")
    run = found[1]
    wanted = _actions(run, again.start_at)
    if number != row["version"]:
        others = await _done_by_others(connection, ids.parse(run.event_key), run)
        made = Made(compiled, cause, run, row["sku"], row["place"])
        new_id = await _ran_new(connection, made, [a for a in wanted if a not in others], again.by)
        await connection.fetchval(queries("rule_runs")["dismiss"], run_id, again.by)
        return new_id
    await _ran_again(connection, Made(compiled, cause, run, row["sku"], row["place"]), wanted)
    await _set_state(connection, run_id, run, again.by)
    return run_id


async def dismiss(connection: Connection, run_id: int, by: str) -> None:
    """Leave a failed run as it is. Raises `RunUnknown`, `Refused`."""
    if await rule_runs.one(connection, run_id) is None:
        raise RunUnknown
    if await connection.fetchval(queries("rule_runs")["dismiss"], run_id, by) is None:
        raise Refused("run_not_failed", "the run has not failed")


async def replay(desk: Desk, name: str, time: tuple[datetime, datetime], by: str) -> int:
    """Run the current version on the facts received in a time; how many it was run on.

    Facts that it was run on stay as they are, and so do actions that another version did. Raises
    `RuleUnknown`, `Refused`.
    """
    connection = desk.connection
    compiled = await desk.book.version(connection, name, await _current(connection, name))
    types = [t for t in compiled.checked.rule.trigger.types if t != STOCK_CHANGED]
    span = rules.Span(types, *time, limit=REPLAY_FACTS_MAX + 1)
    found = await rules.facts(connection, desk.vault, span)
    if len(found) > REPLAY_FACTS_MAX:
        raise Refused("too_many_facts", f"more than {REPLAY_FACTS_MAX} facts: take less time")
    causes = await outbox.at(connection, desk.vault, [place for place, _ in found])
    by_place: dict[outbox.Position, Fact] = {cause.position: cause for cause in causes}
    count = 0
    for place, fact in found:
        known = (ids.parse(fact.key), name, compiled.version)
        if await connection.fetchval(queries("rule_runs")["by_fact"], *known) is not None:
            continue
        for run in ruleset.run(Ruleset([compiled]), fact):
            others = await _done_by_others(connection, ids.parse(fact.key), run)
            wanted = [one.action for one in run.effects if one.action not in others]
            if run.status != "skipped":
                await _ran_new(connection, Made(compiled, by_place[place], run), wanted, by)
                count += 1
    return count


async def _current(connection: Connection, name: str) -> int:
    newest = (await rules.history(connection, name))[-1]
    if newest.status != "published":
        raise Refused("rule_is_so", f"'{name}' is {newest.status}")
    return newest.number


def _actions(run: Run, start_at: str | None) -> list[str]:
    actions = [one.action for one in run.effects]
    if start_at is None:
        return actions
    if start_at not in actions and run.status == "done":
        raise Refused("no_such_action", f"the run has no action '{start_at}'")
    return actions[actions.index(start_at) :] if start_at in actions else []


async def _done_by_others(connection: Connection, fact_key: bytes, run: Run) -> Collection[str]:
    sql = queries("rule_runs")["others"]
    rows = await connection.fetch(sql, fact_key, run.rule, run.version)
    return {row["action"] for row in rows}


async def _ran_new(connection: Connection, made: Made, actions: Collection[str], by: str) -> int:
    """Keep a run by a version that was not run on the fact, with these of its actions."""
    run = made.run
    known = await connection.fetchval(
        queries("rule_runs")["by_fact"], made.fact_key, run.rule, run.version
    )
    if known is not None:
        raise Refused("ran_before", f"version {run.version} ran on this before: run {known}")
    some = [one for one in run.effects if one.action in actions]
    to = await rule_runs.receivers(connection)
    await rule_runs.keep(connection, [rule_runs.with_effects(made, some)], to)
    found: int | None = await connection.fetchval(
        queries("rule_runs")["by_fact"], made.fact_key, run.rule, run.version
    )
    assert found is not None  # it was kept above
    await _note_who(connection, found, by)
    return found


async def _ran_again(connection: Connection, made: Made, actions: list[str]) -> None:
    """Let what failed of a version wait again, and add what it did not come to before."""
    run = made.run
    name = (made.fact_key, run.rule, run.version)
    await rule_effects.revive(connection, *name, actions)
    told = await deliveries.of_rule(connection, made.cause.event_key, run.rule, run.version)
    for one in told if made.sku is None else ():
        if one["state"] == "failed" and one["action"] in actions:
            await deliveries.retry(connection, one["delivery_id"])
    known = {one["action"] for one in await rule_effects.of_run(connection, *name)}
    known |= {one["action"] for one in told}
    new = [one for one in run.effects if one.action in actions and one.action not in known]
    await rule_effects.keep_effects(connection, [rule_runs.kept(made, one) for one in new])


async def _set_state(connection: Connection, run_id: int, run: Run, by: str) -> None:
    is_failed = run.status == "failed"
    failures = to_builtins(run.failures) if is_failed else None
    state = "failed" if is_failed else "waiting"
    sql = queries("rule_runs")["set_state"]
    await connection.execute(sql, run_id, state, failures, True, len(run.effects), by)
    await rule_runs.follow(connection, ids.parse(run.event_key), run.rule, run.version)


async def _note_who(connection: Connection, run_id: int, by: str) -> None:
    await connection.execute(queries("rule_runs")["note_who"], run_id, by)
