"""Runs of sync rules in Postgres: what each version made of which fact, and what failed.

A run is kept with what it has to do, in the transaction that moves the reader's place: so each
fact is run once, whatever crashes. What it says is made from the fact when it is needed. What is
skipped is counted only. Not here: doing effects (`hub.store.rule_effects`), running (`streams`).
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from msgspec import Struct, to_builtins
from msgspec.structs import replace

from hub.domain import ids
from hub.domain.delivering import Wanted
from hub.domain.ids import Key, derived
from hub.rules import facts
from hub.rules.facts import Effect, Run
from hub.rules.running import Compiled
from hub.store import deliveries, outbox
from hub.store.db import Connection, Rows, queries
from hub.store.deliveries import Delivery
from hub.store.rule_book import rule_type
from hub.store.rule_effects import Kept, keep_effects

READER = "rules"
_RUNS = Rows(
    "rule_runs",
    key=("run_id",),
    columns={
        "rule": "text",
        "version": "int",
        "fact_key": "uuid",
        "event_key": "uuid",
        "xid": "xid8",
        "outbox_id": "bigint",
        "type": "text",
        "entity_kind": "text",
        "entity_key": "uuid",
        "sku": "text",
        "place": "text",
        "state": "text",
        "effects": "int",
        "hops": "int",
        "failures": "jsonb",
        "is_seen_to": "boolean",
    },
)


class Receiver(Struct, frozen=True):
    """A subscription that may be told what rules deliver."""

    subscription_id: Key
    channel: str
    wanted: Wanted


class Made(Struct, frozen=True, gc=False):
    """One run of one version on one fact. cause: the fact in the outbox; sku, place: of the stock
    position that it changed, if the run is about that."""

    rule: Compiled
    cause: outbox.Fact
    run: Run
    sku: str | None = None
    place: str | None = None

    @property
    def fact_key(self) -> Key:
        return self.cause.event_key if self.sku is None else ids.parse(self.run.event_key)


class Tally(Struct):
    """How many facts a version was run on, and what came of them."""

    done: int = 0
    skipped: int = 0
    failed: int = 0
    effects: int = 0


async def receivers(connection: Connection) -> list[Receiver]:
    """Who may be told what rules deliver."""
    rows = await connection.fetch(queries("rule_runs")["receivers"])
    return [
        Receiver(
            row["subscription_id"],
            row["channel"],
            Wanted(row["channel"], frozenset(row["types"]), True),
        )
        for row in rows
    ]


async def keep(
    connection: Connection,
    made: Sequence[Made],
    to: Sequence[Receiver],
    skipped: Mapping[tuple[str, int], int] | None = None,
    *,
    are_new: bool = False,
) -> dict[tuple[str, int], Tally]:
    """Keep runs and what they have to do, in the caller's transaction; the counts of each version.

    A delivery that can be made at once becomes one; all other effects wait for the worker. skipped:
    how many facts each version skipped beside those runs. are_new: nothing was ever delivered by
    them, which is written sooner; if something was, `UniqueViolationError`.
    """
    tallies = {name: Tally(skipped=count) for name, count in (skipped or {}).items()}
    rows, told, waiting = [], [], []
    reached: dict[tuple[str, str], list[Receiver]] = {}
    for one in made:
        run = one.run
        _count(tallies.setdefault((run.rule, run.version), Tally()), run)
        if run.status == "skipped":
            continue
        is_waiting = False
        for effect in run.effects:
            whom = _receivers(reached, to, run.rule, effect)
            if whom and not one.rule.has_to_wait:
                made_of = Told(
                    run, effect, one.cause.position, one.cause.event_key, one.sku, one.place
                )
                told += [(made_of, receiver) for receiver in whom]
            else:
                waiting.append(kept(one, effect))
                is_waiting = True
        rows.append(_row(one, is_waiting=is_waiting))
    await _RUNS.insert(connection, rows)
    await _deliver(connection, told, are_new=are_new)
    await keep_effects(connection, waiting)
    await _count_all(connection, tallies)
    return tallies


class Told(Struct, frozen=True, gc=False):
    """What a rule tells by one effect about a fact; sku, place: of a stock position."""

    run: Run
    effect: Effect
    position: outbox.Position
    event_key: Key
    sku: str | None
    place: str | None


async def deliver(connection: Connection, told: Told) -> int:
    """Make an effect that waited a delivery; to how many it goes."""
    whom = _who_hear(await receivers(connection), told.run.rule, told.effect.to)
    await _deliver(connection, [(told, receiver) for receiver in whom])
    return len(whom)


def with_effects(made: Made, effects: Sequence[Effect]) -> Made:
    """The same run with these of its effects only."""
    return replace(made, run=replace(made.run, effects=tuple(effects)))


async def follow(connection: Connection, fact_key: Key, rule: str, version: int) -> None:
    """A run is as its effects are now."""
    await connection.execute(queries("rule_runs")["follow"], fact_key, rule, version)


async def note_failed_delivery(connection: Connection, delivery: Delivery) -> None:
    """A rule's delivery failed for good: so has its run."""
    await follow(connection, delivery.event_key, delivery.rule or "", delivery.rule_version or 0)


async def listed(
    connection: Connection, wanted: Mapping[str, Any], limit: int = 50
) -> list[dict[str, Any]]:
    """Runs, the newest first. wanted: before, rule, state, entity_key, since, until."""
    names = ("before", "rule", "state", "entity_key", "since", "until")
    values = [wanted.get(name) for name in names]
    rows = await connection.fetch(queries("rule_runs")["listed"], *values, limit)
    return [dict(row) for row in rows]


async def one(connection: Connection, run_id: int) -> dict[str, Any] | None:
    """A run, or None."""
    row = await connection.fetchrow(queries("rule_runs")["one"], run_id)
    return dict(row) if row is not None else None


async def unseen(connection: Connection) -> list[Any]:
    """Rules with failures to which their error policy has not been applied."""
    return list(await connection.fetch(queries("rule_runs")["unseen"]))


async def seen_to(connection: Connection, rule: str) -> None:
    """The error policy has been applied to what failed of a rule."""
    await connection.execute(queries("rule_runs")["seen_to"], rule)


async def summary(
    connection: Connection, since: datetime, rule: str | None = None
) -> list[dict[str, Any]]:
    """What each version did since a time, and what of its rule fails or waits now."""
    rows = await connection.fetch(queries("rule_runs")["summary"], since, rule)
    standing = {
        row["rule"]: row for row in await connection.fetch(queries("rule_runs")["standing"])
    }
    return [
        dict(row) | {name: _of(standing, row["rule"], name) for name in ("failing", "waiting")}
        for row in rows
    ]


async def failing(connection: Connection) -> dict[str, int]:
    """How many runs of each rule failed and were not made again or dismissed."""
    rows = await connection.fetch(queries("rule_runs")["standing"])
    return {row["rule"]: row["failing"] for row in rows if row["failing"]}


async def forget(connection: Connection, kept: timedelta, at: datetime, limit: int) -> int:
    """Forget runs that ended so long ago, at most `limit`; how many."""
    return int(await connection.fetchval(queries("rule_runs")["forget"], at - kept, limit) or 0)


def _of(standing: Mapping[str, Any], rule: str, name: str) -> int:
    return standing[rule][name] if rule in standing else 0


def _count(tally: Tally, run: Run) -> None:
    tally.done += run.status == "done"
    tally.skipped += run.status == "skipped"
    tally.failed += run.status == "failed"
    tally.effects += len(run.effects)


async def _count_all(connection: Connection, tallies: Mapping[tuple[str, int], Tally]) -> None:
    if tallies:
        rows = [
            (*name, tally.done, tally.skipped, tally.failed, tally.effects)
            for name, tally in sorted(tallies.items())
        ]
        await connection.execute(queries("rule_runs")["count"], *map(list, zip(*rows, strict=True)))


def _receivers(
    known: dict[tuple[str, str], list[Receiver]],
    to: Iterable[Receiver],
    rule: str,
    effect: Effect,
) -> list[Receiver]:
    """Whom a delivery goes to; none for what is no delivery, or has to wait."""
    if effect.do != "deliver":
        return []
    name = (rule, effect.to)
    if name not in known:
        known[name] = _who_hear(to, *name)
    return known[name]


def _who_hear(all_of_them: Iterable[Receiver], rule: str, channel: str) -> list[Receiver]:
    """The subscriptions of a channel that take what a rule tells."""
    type_ = rule_type(rule)
    return [one for one in all_of_them if one.channel == channel and one.wanted.names(type_)]


def _row(one: Made, *, is_waiting: bool) -> tuple[object, ...]:
    run, cause = one.run, one.cause
    is_failed = run.status == "failed"
    return (
        run.rule,
        run.version,
        one.fact_key,
        cause.event_key,
        *cause.position,
        run_type(one),
        cause.entity_kind,
        cause.entity_key,
        one.sku,
        one.place,
        "failed" if is_failed else "waiting" if is_waiting else "done",
        len(run.effects),
        cause.hops,
        to_builtins(run.failures) if is_failed else None,
        not is_failed,
    )


def run_type(one: Made) -> str:
    """The type of the fact as the rule read it."""
    return one.cause.type if one.sku is None else facts.STOCK_CHANGED


def kept(one: Made, effect: Effect) -> Kept:
    """An effect of a run as it waits."""
    return Kept(
        ids.parse(effect.effect_id.removeprefix("eff_")),
        one.run.rule,
        one.run.version,
        one.fact_key,
        *one.cause.position,
        one.sku,
        one.place,
        effect.action,
        effect.do,
        order_key(one.run.rule, effect),
        effect.after_s,
    )


async def _deliver(
    connection: Connection, wanted: Sequence[tuple[Told, Receiver]], *, are_new: bool = False
) -> None:
    plain = [_delivery(*one) for one in wanted if one[0].sku is None]
    stock = [_stock_delivery(*one) for one in wanted if one[0].sku is not None]
    await deliveries.add_by_rules(connection, plain, are_new=are_new)
    await deliveries.add_stock_by_rules(connection, stock)


def _delivery(told: Told, receiver: Receiver) -> tuple[object, ...]:
    run, effect = told.run, told.effect
    return (
        derived("rule-delivery", receiver.subscription_id, effect.effect_id.encode()),
        receiver.subscription_id,
        rule_type(run.rule),
        told.event_key,
        *told.position,
        f"rule/{order_key(run.rule, effect)}",
        run.rule,
        run.version,
        effect.action,
    )


def _stock_delivery(told: Told, receiver: Receiver) -> tuple[object, ...]:
    sku, place = told.sku or "", told.place or ""
    row = _delivery(told, receiver)
    key = f"rule/{told.run.rule}/{told.effect.action}/{ids.text(ids.stock_id(sku, place))}"
    return (*row[:6], key, *row[7:], sku, place)


def order_key(rule: str, effect: Effect) -> str:
    """What keeps its order, as a digest: it may name an account, which an erasure must not have to
    look for here."""
    return ids.text(derived("rule-order", rule.encode(), effect.order_key.encode()))
