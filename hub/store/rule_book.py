"""Versions of rules, compiled once, and what they make of a fact: now, or again later.

Bodies of effects are not kept: whoever needs one makes it from the fact and the version, which
gives the same each time. Not here: which facts are run (`streams.rules`), what is kept of runs
(`hub.store.rule_runs`).
"""

import logging
from typing import Any

from msgspec import Struct

from hub.domain import ids
from hub.domain.decisions import HOPS
from hub.domain.ids import Key, derived
from hub.errors import HubError
from hub.rules import checking, facts, ruleset, running
from hub.rules.facts import STOCK_CHANGED, Effect, Run
from hub.rules.problems import RuleInvalid
from hub.rules.ruleset import Ruleset
from hub.rules.running import Compiled
from hub.store import outbox, rules, stock_told
from hub.store.db import Connection
from hub.store.outbox import Position
from hub.store.rules import Published
from hub.store.sealing import Vault

log = logging.getLogger(__name__)


class RuleBroken(HubError):
    """This version of the hub cannot run the version of the rule."""


class About(Struct, frozen=True):
    """What a run is about: a fact by its place; or the stock position that it changed."""

    position: Position
    sku: str | None = None
    place: str | None = None


class RuleBook:
    """The versions that were asked for so far. allowed: how addresses of `call` may begin."""

    def __init__(self, allowed: tuple[str, ...] = ()) -> None:
        self._allowed = allowed
        self._compiled: dict[tuple[str, int], Compiled | None] = {}
        self.broken: set[str] = set()
        self.stopped: frozenset[str] = frozenset()

    async def in_force(self, connection: Connection, until: Position) -> Ruleset:
        """The rules that run for the facts after a place.

        `stopped` then names the rules that are paused or archived, and `broken` those that this
        version of the hub cannot run.
        """
        newest: dict[str, Published] = {}
        for version in await rules.versions(connection):
            if version.position <= until:
                newest[version.name] = version
        self.stopped = frozenset(n for n, one in newest.items() if one.status != "published")
        live = [one for one in newest.values() if one.status == "published"]
        made = {one.name: self._ready(one) for one in live}
        self.broken = {name for name, compiled in made.items() if compiled is None}
        return Ruleset(one for one in made.values() if one is not None)

    async def version(self, connection: Connection, name: str, number: int) -> Compiled:
        """One version. Raises `RuleBroken`."""
        if (name, number) not in self._compiled:
            for one in await rules.versions(connection, name):
                self._ready(one)
        found = self._compiled.get((name, number))
        if found is None:
            raise RuleBroken(f"'{name}' version {number} cannot run")
        return found

    def _ready(self, one: Published) -> Compiled | None:
        key = (one.name, one.number)
        if key not in self._compiled:
            try:
                checked = checking.check_plain(one.rule, self._allowed)
                self._compiled[key] = running.compile_rule(checked, one.number)
            except RuleInvalid as invalid:
                log.error("rule '%s' version %d cannot run: %s", *key, invalid)
                self._compiled[key] = None
        return self._compiled[key]


async def facts_about(
    connection: Connection, vault: Vault, about: list[About]
) -> list[tuple[outbox.Fact, facts.Fact] | None]:
    """Each as the log and as rules know it; None where nothing is left of it: the person was
    erased, or the position is gone."""
    places = sorted({one.position for one in about})
    found = await outbox.at(connection, vault, places, sees_personal=True)
    by_place = {fact.position: fact for fact in found}
    told: list[tuple[outbox.Fact, facts.Fact] | None] = []
    for one in about:
        fact = by_place.get(one.position)
        known = None
        if fact is not None and one.sku is not None and one.place is not None:
            known = await position_fact(connection, fact, one.sku, one.place)
        elif fact is not None:
            known = as_rules_read(fact)
        told.append((fact, known) if fact is not None and known is not None else None)
    return told


async def made(
    connection: Connection, vault: Vault, rule: Compiled, about: About, *, trace: bool = False
) -> tuple[facts.Fact, Run] | None:
    """What a version makes of a fact, made once more; None if nothing is left of the fact."""
    (told,) = await facts_about(connection, vault, [about])
    if told is None:
        return None
    _, fact = told
    found = ruleset.run(Ruleset([rule]), fact, trace=trace)
    run = found[0] if found else Run(rule.name, rule.version, fact.key, "skipped")
    return fact, run


def effect_of(run: Run, action: str) -> Effect | None:
    """What the run does by an action."""
    return next((one for one in run.effects if one.action == action), None)


def cloud_event(rule: str, version: int, fact: facts.Fact, effect: Effect) -> dict[str, Any]:
    """What a receiver is told: the body that the rule's map made, as `data`.

    `quantitymodes` says which quantities are changes and which are counts; `hubhops` is to be given
    back in events that the receiver tells because of it, so that rules cannot go in circles.
    """
    said: dict[str, Any] = {
        "specversion": "1.0",
        "id": effect.effect_id,
        "source": f"/hub/rules/{rule}",
        "type": rule_type(rule),
        "time": fact.time.isoformat(),
        "subject": fact.subject,
        "datacontenttype": "application/json",
        "ruleversion": str(version),
        HOPS: effect.hops,
        "data": effect.body,
    }
    if effect.modes:
        modes = sorted(effect.modes.items())
        said["quantitymodes"] = ",".join(f"{name}={mode}" for name, mode in modes)
    return said


def rule_type(rule: str) -> str:
    """What a subscription names to be told what a rule delivers."""
    return f"rule.{rule}"


def as_rules_read(fact: outbox.Fact) -> facts.Fact | None:
    """A fact of the outbox as rules read it; None if the person it was about was erased."""
    if fact.data is None:
        return None
    return facts.Fact(
        ids.text(fact.event_key),
        fact.event_id,
        fact.type,
        fact.channel or "",
        fact.shop or "",
        fact.subject or "",
        fact.occurred_at,
        fact.data,
        fact.hops,
    )


async def position_fact(
    connection: Connection, cause: outbox.Fact, sku: str, place: str
) -> facts.Fact | None:
    """That a stock position changed, as rules read it: always as it is now."""
    found = await stock_told.positions(connection, [sku], [place])
    row = found.get((sku, place))
    return None if row is None else stock_fact(cause, sku, place, row)


def stock_fact(cause: outbox.Fact, sku: str, place: str, row: Any) -> facts.Fact:
    """That a position changed by a fact. row: the position. Stock belongs to no channel."""
    return facts.Fact(
        ids.text(stock_fact_key(cause.event_key, sku, place)),
        cause.event_id,
        STOCK_CHANGED,
        "",
        "",
        sku,
        cause.occurred_at,
        stock_told.stock_data(row),
        cause.hops,
    )


def stock_fact_key(event_key: Key, sku: str, place: str) -> Key:
    """The identity of the change of a position by an event."""
    return derived("stock-changed", event_key, ids.stock_id(sku, place))
