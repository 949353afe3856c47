"""Does the effects of rules that are no deliveries, or wait: each rule in a lane of its own.

A rule that is slow or fails holds up nobody but itself; effects of one rule about one order key go
one after the other. A command is done in the transaction that ends its effect; a topic is written
before, and then perhaps twice under the same id.
"""

import asyncio
import contextlib
import logging
import random
from collections.abc import Callable
from datetime import datetime, tzinfo
from typing import Any, NamedTuple

import asyncpg

from hub.domain import ids
from hub.domain.envelope import BadEvent
from hub.domain.ids import Key
from hub.errors import HubError, Refused
from hub.rules.facts import Effect, Fact, Run
from hub.store import notices, outbox, rule_book, rule_commands, rule_effects, rule_runs, rules
from hub.store.rule_book import About, RuleBook, RuleBroken
from hub.store.rule_commands import Asked
from hub.store.rule_effects import Kept
from hub.store.rule_runs import Told
from hub.store.rules import Word
from hub.store.sealing import Vault
from streams.rules.outside import Outside

log = logging.getLogger(__name__)

LANES_MAX = 16
"""Rules whose effects are done at once."""
TRIES_MAX = 5
"""A deadlock rolls back and is tried again at once."""
AWAY_S = 1.0
BY = "rules worker"
CASE_REASON = "rule '{rule}' failed {failures} times; see its runs: hub rule runs {rule}"
Clock = Callable[[], datetime]
_Made = tuple[Run, Effect, Key]
"""What an effect is, and the event that it is about."""


class When(NamedTuple):
    """What time it is, and the zone of business hours."""

    clock: Clock
    zone: tzinfo


class Undoable(HubError):
    """An effect that cannot be done as things are."""


class Doer:
    """Starts what is due, lane by lane."""

    def __init__(
        self, pool: asyncpg.Pool, vault: Vault, book: RuleBook, outside: Outside, when: When
    ) -> None:
        self._pool, self._vault, self._book = pool, vault, book
        self._outside, self._clock, self._zone = outside, when.clock, when.zone
        self._lanes: dict[str, asyncio.Task[None]] = {}
        self.done = 0
        self.failed = 0

    async def turn(self) -> bool:
        """Start what is due of rules that have no lane now; whether there was anything."""
        async with self._pool.acquire() as connection:
            held = {*self._book.stopped, *self._lanes}
            found = await rule_effects.due(connection, self._clock(), held)
            unseen = await rule_runs.unseen(connection)
        seen_to = 0
        for row in unseen:
            try:
                await self._see_to(row)
                seen_to += 1
            except HubError as error:
                log.error("the error policy of rule '%s' waits: %s", row["rule"], error)
        by_rule: dict[str, list[Kept]] = {}
        for one in found:
            by_rule.setdefault(one.rule, []).append(one)
        free = LANES_MAX - len(self._lanes)
        for rule, effects in list(by_rule.items())[:free]:
            task = asyncio.create_task(self._lane(rule, effects))
            self._lanes[rule] = task
            task.add_done_callback(lambda _, rule=rule: self._lanes.pop(rule, None))
        return bool(seen_to) or (bool(found) and free > 0)

    async def settle(self) -> None:
        """Wait until no lane is busy."""
        while self._lanes:
            await asyncio.gather(*list(self._lanes.values()), return_exceptions=True)

    async def close(self) -> None:
        """Let go of what is being done: what is not ended is done again later."""
        for task in self._lanes.values():
            task.cancel()
        await asyncio.gather(*self._lanes.values(), return_exceptions=True)

    async def _lane(self, rule: str, effects: list[Kept]) -> None:
        try:
            for effect in await self._let_through(rule, effects):
                await self._do(effect)
        except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError) as error:
            log.warning("effects of rule '%s' wait for Postgres: %s", rule, type(error).__name__)
            await asyncio.sleep(AWAY_S)

    async def _let_through(self, rule: str, effects: list[Kept]) -> list[Kept]:
        """Those that the rule's rate lets through now; the others are put off."""
        async with self._pool.acquire() as connection:
            try:
                compiled = await self._book.version(connection, rule, effects[-1].version)
            except RuleBroken:
                return effects
            rate = compiled.checked.rule.rate
            if rate is None:
                return effects
            room, more_at = await rule_effects.room(connection, rule, rate, self._clock())
            if effects[room:]:
                await rule_effects.put_off(connection, effects[room:], more_at)
            return effects[:room]

    async def _do(self, kept: Kept) -> None:
        try:
            for tried in range(1, TRIES_MAX + 1):
                try:
                    await self._try(kept)
                    self.done += 1
                    return
                except (asyncpg.DeadlockDetectedError, asyncpg.SerializationError):
                    if tried == TRIES_MAX:
                        raise
        except (HubError, BadEvent) as error:
            await self._failed(kept, _reason(error))

    async def _try(self, kept: Kept) -> None:
        found = await self._effect(kept)
        if found is None:
            async with self._pool.acquire() as connection, connection.transaction():
                await self._end(connection, kept, {"nothing": "the person was erased"})
            return
        fact, run, effect, event_key = found
        if kept.kind in ("publish", "call"):
            said = rule_book.cloud_event(kept.rule, kept.version, fact, effect)
            result = await self._outside.do(effect, said)
            async with self._pool.acquire() as connection, connection.transaction():
                await self._end(connection, kept, result)
            return
        async with self._pool.acquire() as connection, connection.transaction():
            if not await rule_effects.hold(connection, kept.effect_id):
                return
            asked, made = Asked(kept.rule, fact, effect), (run, effect, event_key)
            if kept.kind == "deliver":
                result = await self._deliver(connection, kept, made)
            elif kept.kind == "notify":
                result = await self._notify(connection, kept, asked, made)
            else:
                result = await rule_commands.decide(connection, self._vault, asked)
            if result is not None:
                await self._end(connection, kept, result)

    async def _deliver(self, connection: Any, kept: Kept, made: _Made) -> dict[str, Any]:
        run, effect, event_key = made
        position = (kept.xid, kept.outbox_id)
        told = Told(run, effect, position, event_key, kept.sku, kept.place)
        count = await rule_runs.deliver(connection, told)
        if not count:
            type_ = rule_book.rule_type(kept.rule)
            raise Undoable(
                f"no subscription of channel '{effect.to}' takes {type_}",
                mend="subscribe the channel to it",
            )
        return {"deliveries": count}

    async def _notify(
        self, connection: Any, kept: Kept, asked: Asked, made: _Made
    ) -> dict[str, Any] | None:
        """Tell the channel that sends, if the person may be told; None if that has to wait."""
        notice = rule_commands.notice_of(asked)
        here = self._clock().astimezone(self._zone)
        answer = await notices.may_tell(connection, notice, here)
        if answer.later is not None:
            await rule_effects.put_off(connection, [kept], answer.later)
            return None
        if answer.withheld is not None:
            return {"withheld": answer.withheld}
        said = {"profile_id": ids.text(notice.profile_id), "purpose": notice.purpose}
        return await self._deliver(connection, kept, made) | said

    async def _effect(self, kept: Kept) -> tuple[Fact, Run, Effect, bytes] | None:
        """What the effect is, made anew; None if nothing is left of its fact."""
        about = About((kept.xid, kept.outbox_id), kept.sku, kept.place)
        async with self._pool.acquire() as connection:
            compiled = await self._book.version(connection, kept.rule, kept.version)
            found = await rule_book.made(connection, self._vault, compiled, about)
            if found is None:
                return None
            (cause,) = await outbox.at(connection, self._vault, [about.position])
        fact, run = found
        effect = rule_book.effect_of(run, kept.action)
        if effect is None:
            if kept.sku is not None:
                return None  # the position changed meanwhile: its newer run counts
            why = run.failures[0].reason if run.failures else "the rule does not do this any more"
            raise Undoable(why)
        return fact, run, effect, cause.event_key

    async def _end(self, connection: Any, kept: Kept, result: Any) -> None:
        await rule_effects.end(connection, kept.effect_id, "done", result=result)
        await rule_runs.follow(connection, kept.fact_key, kept.rule, kept.version)

    async def _failed(self, kept: Kept, error: str) -> None:
        attempts = kept.attempts + 1
        async with self._pool.acquire() as connection, connection.transaction():
            if attempts <= await self._retries(connection, kept):
                wait = rule_effects.next_wait(attempts) * random.uniform(1, 1.2)
                at = self._clock() + wait
                await rule_effects.try_again(connection, kept.effect_id, at, error)
                return
            await rule_effects.end(connection, kept.effect_id, "failed", error=error)
            await rule_runs.follow(connection, kept.fact_key, kept.rule, kept.version)
        self.failed += 1

    async def _retries(self, connection: Any, kept: Kept) -> int:
        try:
            compiled = await self._book.version(connection, kept.rule, kept.version)
        except RuleBroken:
            return 0
        return compiled.checked.rule.on_error.retries

    async def _see_to(self, row: Any) -> None:
        """Apply the error policy of a rule to what failed of it, once for all of that."""
        rule, name = row["rule"], str(row["rule"])
        async with self._pool.acquire() as connection, connection.transaction():
            then = "case"
            with contextlib.suppress(RuleBroken):
                compiled = await self._book.version(connection, name, row["version"])
                then = compiled.checked.rule.on_error.then
            reason = CASE_REASON.format(rule=name, failures=row["failures"])
            if then == "pause":
                await self._pause(connection, name, reason)
            elif then == "case":
                effect_id = f"eff_{row['run_id']}_failed"
                effect = Effect(effect_id, "case", "open_case", "", {}, {}, "", row["hops"] + 1)
                fact = Fact("", "", "case.opened", "", "", "", self._clock(), {})
                asked = Asked(name, fact, effect)
                about = ("rule", name)
                await rule_commands.open_case(connection, self._vault, asked, about, reason)
            await rule_runs.seen_to(connection, rule)

    async def _pause(self, connection: Any, name: str, reason: str) -> None:
        newest = await rules.history(connection, name)
        if newest[-1].status == "published":
            await rules.set_status(connection, self._vault, name, "paused", Word(BY, reason))


def _reason(error: Exception) -> str:
    if isinstance(error, Refused):
        return f"{error.code}: {error.reason}"
    if isinstance(error, BadEvent):
        return f"{error.code}: {error.reason} [{error.field or ''}]"
    return str(error)
