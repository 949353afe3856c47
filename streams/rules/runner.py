"""Runs the rules that are in force on the next facts of the outbox, and keeps what comes of it.

Each fact runs under the versions before it: where a batch holds the publication of a rule, the
facts behind it run under the new one. Runs, effects and the place are one transaction.
"""

import asyncio

from asyncpg import UniqueViolationError
from msgspec import Struct

from hub.domain import rule_versions
from hub.domain.ids import Key
from hub.rules import facts
from hub.rules.facts import STOCK_CHANGED
from hub.rules.ruleset import Deciding, Ruleset
from hub.rules.running import Compiled
from hub.store import outbox, rule_book, rule_effects, rule_runs, rules
from hub.store.db import Connection, queries
from hub.store.outbox import Batch, Fact
from hub.store.rule_book import RuleBook
from hub.store.rule_runs import Made, Receiver
from hub.store.sealing import Vault

PUBLISHED = "config.published"
AHEAD_FROM = 50
"""A batch of so many facts has others behind it."""
YIELD_EVERY = 50
"""Facts between two moments for the worker's other tasks: some milliseconds."""


class _Decided(Struct):
    """Facts, and what the rules make of them; deciding: with who skipped how many."""

    batch: Batch
    made: list[Made]
    deciding: Deciding


class Runner:
    """One reader of the outbox, with the rules that are in force at its place."""

    def __init__(self, vault: Vault, book: RuleBook) -> None:
        self._vault = vault
        self.book = book
        self._ruleset: Ruleset | None = None
        self._receivers: list[Receiver] = []
        self._ahead: asyncio.Task[_Decided | None] | None = None
        self.facts = 0
        self.tallies: dict[tuple[str, int], rule_runs.Tally] = {}

    @property
    def scheduled(self) -> list[Compiled]:
        """The rules in force that run by a schedule."""
        rules = self._ruleset.rules.values() if self._ruleset is not None else ()
        return [rule for rule in rules if rule.checked.rule.trigger.schedule is not None]

    async def turn(self, connection: Connection, reading: Connection) -> bool:
        """Run the next facts; whether there were any. reading: by it those behind them are
        read, and decided, while these are written."""
        if self._ruleset is None:
            await self._look_at_rules(
                connection, await outbox.place_of(connection, rule_runs.READER)
            )
        decided = await self._next(reading)
        if decided is None:
            return False
        batch = decided.batch
        is_publication = bool(batch.facts) and _publishes_rule(batch.facts[-1])
        # Looked at after the facts were read: whoever subscribed before one of them is told of it.
        self._receivers = await rule_runs.receivers(connection)
        if STOCK_CHANGED in self._types:
            decided.made += await self._run_stock(connection, batch.facts, decided.deciding)
        if not is_publication and len(batch.facts) >= AHEAD_FROM:
            self._ahead = asyncio.create_task(self._decide(reading, batch.until))
        try:
            tallies = await self._keep(connection, decided, are_new=True)
        except UniqueViolationError:
            # Runs were forgotten whose deliveries are not, and are made again.
            tallies = await self._keep(connection, decided, are_new=False)
        self._count(tallies, len(batch.facts))
        if is_publication:
            await self._look_at_rules(connection, batch.facts[-1].position)
        return True

    async def forget(self) -> None:
        """Know nothing any more: the place may be elsewhere."""
        self._ruleset = None
        ahead, self._ahead = self._ahead, None
        if ahead is not None:
            ahead.cancel()
            await asyncio.gather(ahead, return_exceptions=True)

    @property
    def _types(self) -> set[str]:
        assert self._ruleset is not None
        return {*self._ruleset.types, PUBLISHED}

    async def _next(self, reading: Connection) -> _Decided | None:
        """The next facts: those that were decided ahead, if there were any."""
        ahead, self._ahead = self._ahead, None
        decided = await ahead if ahead is not None else None
        return decided or await self._decide(reading, None)

    async def _decide(self, reading: Connection, after: outbox.Position | None) -> _Decided | None:
        """What the rules in force make of the facts behind a place; None if there are none."""
        assert self._ruleset is not None
        wanted = None if STOCK_CHANGED in self._types else self._types
        batch = await outbox.read_types(reading, self._vault, rule_runs.READER, wanted, after)
        if batch.until is None:
            return None
        batch = self._until_a_publication(batch)
        deciding = Deciding(self._ruleset)
        return _Decided(batch, await self._run(batch, deciding), deciding)

    async def _keep(
        self, connection: Connection, decided: _Decided, *, are_new: bool
    ) -> dict[tuple[str, int], rule_runs.Tally]:
        made, skipped = decided.made, decided.deciding.skipped
        async with connection.transaction():
            found = await rule_runs.keep(
                connection, made, self._receivers, skipped, are_new=are_new
            )
            await outbox.advance(connection, decided.batch)
        return found

    def _until_a_publication(self, batch: Batch) -> Batch:
        """The batch up to the first publications of rules: what follows runs under those. Many in a
        row are looked at once."""
        for number, fact in enumerate(batch.facts):
            if _publishes_rule(fact) and not self._is_publication(batch.facts, number + 1):
                return Batch(batch.reader, batch.after, batch.facts[: number + 1], fact.position)
        return batch

    def _is_publication(self, facts: list[Fact], number: int) -> bool:
        assert self._ruleset is not None
        is_read = PUBLISHED in self._ruleset.types
        return not is_read and number < len(facts) and _publishes_rule(facts[number])

    async def _run(self, batch: Batch, deciding: Deciding) -> list[Made]:
        found: list[Made] = []
        for number, fact in enumerate(batch.facts):
            known = rule_book.as_rules_read(fact)
            if known is not None:
                found += self._decided(deciding, known, fact)
            if number % YIELD_EVERY == YIELD_EVERY - 1:
                await asyncio.sleep(0)
        return found

    async def _run_stock(
        self, connection: Connection, facts: list[Fact], deciding: Deciding
    ) -> list[Made]:
        """The positions that these facts changed, as they are; each by its last fact."""
        by_xid = {fact.position[0]: fact for fact in facts}
        rows = await connection.fetch(queries("rule_runs")["changed_positions"], list(by_xid))
        found: list[Made] = []
        for row in rows:
            cause = by_xid[row["changed_xid"]]
            known = rule_book.stock_fact(cause, row["sku"], row["place"], row)
            found += self._decided(deciding, known, cause, (row["sku"], row["place"]))
        return found

    def _decided(
        self,
        deciding: Deciding,
        fact: facts.Fact,
        cause: Fact,
        position: tuple[str | None, str | None] = (None, None),
    ) -> list[Made]:
        assert self._ruleset is not None
        rules = self._ruleset.rules
        return [Made(rules[run.rule], cause, run, *position) for run in deciding.runs(fact)]

    async def _look_at_rules(self, connection: Connection, until: outbox.Position) -> None:
        self._ruleset = await self.book.in_force(connection, until)
        async with connection.transaction():
            await _drop_archived(connection)

    def _count(self, tallies: dict[tuple[str, int], rule_runs.Tally], facts: int) -> None:
        self.facts += facts
        for name, tally in tallies.items():
            known = self.tallies.setdefault(name, rule_runs.Tally())
            known.done += tally.done
            known.skipped += tally.skipped
            known.failed += tally.failed
            known.effects += tally.effects


def _publishes_rule(fact: Fact) -> bool:
    is_config = fact.type == PUBLISHED and fact.data is not None
    return is_config and (fact.data or {}).get("kind") == rule_versions.KIND


async def _drop_archived(connection: Connection) -> None:
    newest = {one.name: one.status for one in await rules.versions(connection)}
    archived = [name for name, status in newest.items() if status == "archived"]
    done: set[tuple[Key, str, int]] = set()
    for row in await rule_effects.drop(connection, archived) if archived else ():
        done.add((row["fact_key"], row["rule"], row["version"]))
    for fact_key, rule, version in sorted(done):
        await rule_runs.follow(connection, fact_key, rule, version)
