"""`python -m streams.rules`: runs sync rules on each fact once, and does what they say.

One process works at a time; another waits for its place. Facts are run in one task, effects are
done in others, so neither waits for the other.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

import asyncpg

from hub.settings import Settings
from hub.store import db, outbox, rule_runs
from hub.store.rule_book import RuleBook
from hub.store.sealing import Vault
from hub.store.waking import Bell, Ringer
from streams.rules.doer import Clock, Doer, When
from streams.rules.outside import Outside
from streams.rules.runner import Runner
from streams.rules.timer import Timer

log = logging.getLogger(__name__)

APPLICATION = "hub runs"
"""By this name the outbox knows that the connection writes no facts."""
POOL_MAX = 6
AWAY_S = 1.0
EFFECTS_POLL_S = 0.05
"""Between two looks for effects that are due, when there were none."""
AWAY = (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError, outbox.ReaderMoved)


def _now() -> datetime:
    return datetime.now(UTC)


class RulesWorker:
    """A runner and a doer. clock: what time it is, for tests of days."""

    def __init__(self, settings: Settings, clock: Clock = _now) -> None:
        self._settings, self._clock = settings, clock
        self._vault = Vault(settings.secret())
        self._outside = Outside(settings)
        self._holder: db.Connection | None = None
        self._reading: db.Connection | None = None
        self._pool: asyncpg.Pool | None = None
        self._doer: Doer | None = None
        self.runner = Runner(self._vault, RuleBook(settings.rule_address_list))
        self.is_working = False
        self._timer = Timer(self._vault, settings.zone, clock)
        self._bell = Bell()
        self._ringer = Ringer(settings.dsn("writer"))

    @property
    def doer(self) -> Doer:
        assert self._doer is not None, "opened first"
        return self._doer

    async def open(self) -> None:
        """Connect; takes no place yet."""
        self._pool = await asyncpg.create_pool(
            self._settings.dsn("writer"),
            min_size=1,
            max_size=POOL_MAX,
            command_timeout=db.COMMAND_TIMEOUT_S,
            init=db.prepare,
            server_settings={"search_path": "hub", "application_name": "hub rules"},
        )
        self._ringer.start()
        book = self.runner.book
        when = When(self._clock, self._settings.zone)
        self._doer = Doer(self._pool, self._vault, book, self._outside, when)

    async def close(self) -> None:
        """Leave what is not ended to whoever works next."""
        if self._doer is not None:
            await self._doer.close()
        await self._outside.close()
        await self._ringer.stop()
        await self._let_go()
        if self._pool is not None:
            self._pool.terminate()

    async def run(self) -> None:
        """Work until cancelled; what Postgres does not allow now is tried again."""

        async def rest() -> None:
            await asyncio.sleep(EFFECTS_POLL_S)

        await asyncio.gather(
            self._again(self.run_facts, self._bell.wait),
            self._again(self.do_effects, rest),
            self._again(self.do_schedules, rest),
        )

    async def run_facts(self) -> bool:
        """Run the next facts; whether there were any."""
        if not await self._holds():
            await asyncio.sleep(AWAY_S)
            return False
        assert self._holder is not None
        assert self._reading is not None
        return self._rung(await self.runner.turn(self._holder, self._reading))

    async def do_effects(self) -> bool:
        """Start what is due; whether there was anything."""
        return self.is_working and self._rung(await self.doer.turn())

    async def do_schedules(self) -> bool:
        """Start what is due by schedule; whether there was anything."""
        rules = self.runner.scheduled
        if not self.is_working or not rules:
            return False
        assert self._pool is not None
        async with self._pool.acquire() as connection:
            return self._rung(await self._timer.turn(connection, rules))

    def _rung(self, did: bool) -> bool:
        """Wake who sends what rules deliver, and who follows what they decided."""
        if did:
            self._ringer.ring()
        return did

    async def _again(
        self, work: Callable[[], Awaitable[bool]], rest: Callable[[], Awaitable[None]]
    ) -> None:
        while True:
            try:
                did = await work()
            except AWAY as error:
                log.warning("rules wait for Postgres: %s", type(error).__name__)
                await self._let_go()
                await asyncio.sleep(AWAY_S)
                continue
            if did:
                await asyncio.sleep(0)
            else:
                await rest()

    async def _holds(self) -> bool:
        if self._holder is not None and not self._holder.is_closed():
            return True
        dsn = self._settings.dsn("writer")
        self._holder = await db.connect(dsn, application=APPLICATION)
        await outbox.register(self._holder, rule_runs.READER, is_from_now=True)
        self.is_working = await outbox.try_hold(self._holder, rule_runs.READER)
        if not self.is_working:
            await self._let_go()
            return False
        self._reading = await db.connect(dsn, application=APPLICATION)
        await self._bell.listen(self._holder)
        return self.is_working

    async def _let_go(self) -> None:
        self.is_working = False
        await self.runner.forget()
        open_ones = (self._holder, self._reading)
        self._holder = self._reading = None
        for connection in open_ones:
            if connection is not None:
                connection.terminate()
