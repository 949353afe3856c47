"""`python -m streams.deliveries`: tells subscribers, in order for each object, each at its pace.

One process works at a time; another waits for its place. A delivery counts as made once its answer
was noted, so after a crash it may be sent again, under the same id. Nothing is sent in a
transaction.
"""

import asyncio
import logging
import random
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg

from hub.domain import delivering, ids
from hub.domain.delivering import Answer
from hub.domain.ids import Key
from hub.errors import HubError
from hub.settings import Settings
from hub.store import db, deliveries, outbox, rule_runs, subscriptions
from hub.store.deliveries import Attempt, Delivery
from hub.store.outbox import POLL_S
from hub.store.rule_book import RuleBook, RuleBroken
from hub.store.sealing import Vault
from hub.store.subscriptions import Active
from streams.deliveries.sender import Sender

log = logging.getLogger(__name__)

AT_ONCE_MAX = 8
"""Deliveries of one subscription on their way at once: a slow receiver takes no more places."""
SUBSCRIPTIONS_EVERY_S = 0.5
"""So soon a new or paused subscription is known."""
POOL_MAX = 6
AWAY_S = 1.0
Clock = Callable[[], datetime]


def _now() -> datetime:
    return datetime.now(UTC)


class Dispatcher:
    """Spreads facts and sends what is due. clock: what time it is, for tests of days."""

    def __init__(self, settings: Settings, clock: Clock = _now) -> None:
        self._settings = settings
        self._clock = clock
        self._vault = Vault(settings.secret())
        self._sender = Sender(is_local_allowed=settings.local_receivers)
        self._pool: asyncpg.Pool | None = None
        self._holder: db.Connection | None = None
        self._book = RuleBook(settings.rule_address_list)
        self._known: list[Active] = []
        self._known_at_s = 0.0
        self._on_the_way: dict[tuple[Key, str], asyncio.Task[None]] = {}
        self.sent = 0
        self.is_working = False

    async def open(self) -> None:
        """Connect; takes no place yet."""
        self._pool = await asyncpg.create_pool(
            self._settings.dsn("writer"),
            min_size=1,
            max_size=POOL_MAX,
            command_timeout=db.COMMAND_TIMEOUT_S,
            init=db.prepare,
            server_settings={"search_path": "hub", "application_name": "hub deliveries"},
        )
        await self._sender.open()

    async def close(self) -> None:
        """Let what is on its way end or go, then leave the place to others."""
        for task in self._on_the_way.values():
            task.cancel()
        await asyncio.gather(*self._on_the_way.values(), return_exceptions=True)
        await self._sender.close()
        if self._holder is not None:
            await self._holder.close()
            self._holder = None
        if self._pool is not None:
            self._pool.terminate()

    async def run(self) -> None:
        """Work until cancelled; what Postgres does not allow now is tried again."""
        while True:
            try:
                did = await self.turn()
            except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError) as error:
                log.warning("deliveries wait for Postgres: %s", type(error).__name__)
                await self._let_go()
                await asyncio.sleep(AWAY_S)
                continue
            if not did:
                await asyncio.sleep(POLL_S)

    async def turn(self) -> bool:
        """Spread what is new and start what is due; whether there was anything to do."""
        if not await self._holds():
            await asyncio.sleep(AWAY_S)
            return False
        await self._look_at_subscriptions()
        spread = await self._spread()
        return await self._start_due() or spread

    async def settle(self) -> None:
        """Wait until nothing is on its way."""
        while self._on_the_way:
            await asyncio.gather(*list(self._on_the_way.values()), return_exceptions=True)

    @property
    def on_the_way(self) -> int:
        """Deliveries being sent now."""
        return len(self._on_the_way)

    async def _holds(self) -> bool:
        if self._holder is not None and not self._holder.is_closed():
            return True
        self._holder = await db.connect(self._settings.dsn("writer"))
        await outbox.register(self._holder, deliveries.READER, is_from_now=True)
        self.is_working = await outbox.try_hold(self._holder, deliveries.READER)
        if not self.is_working:
            await self._let_go()
        return self.is_working

    async def _let_go(self) -> None:
        self.is_working = False
        holder, self._holder = self._holder, None
        if holder is not None:
            holder.terminate()

    async def _look_at_subscriptions(self) -> None:
        if time.monotonic() - self._known_at_s < SUBSCRIPTIONS_EVERY_S:
            return
        async with self._connection() as connection:
            self._known = await subscriptions.active(connection, self._vault)
        self._known_at_s = time.monotonic()

    async def _spread(self) -> bool:
        assert self._holder is not None
        batch = await outbox.read(self._holder, self._vault, deliveries.READER)
        if not batch.facts:
            return False
        async with self._holder.transaction():
            await deliveries.spread(self._holder, batch, self._known)
            await outbox.advance(self._holder, batch)
        return True

    async def _start_due(self) -> bool:
        now = self._clock()
        open_ = {
            one.subscription_id: one
            for one in self._known
            if not one.is_held and (one.resumes_at is None or one.resumes_at <= now)
        }
        if not open_:
            return False
        async with self._connection() as connection:
            waiting = await deliveries.waiting(connection, open_)
        busy = set(self._on_the_way)
        counts: dict[Key, int] = {}
        for owner, _ in busy:
            counts[owner] = counts.get(owner, 0) + 1
        started = False
        for one in waiting:
            place = (one.subscription_id, one.order_key)
            to = open_[one.subscription_id]
            # A receiver that was away is asked with one delivery before it gets all others.
            at_once = 1 if to.failures else AT_ONCE_MAX
            if place in busy:
                continue
            busy.add(place)  # what comes after it about the same object waits, whether it goes now
            if one.next_at > now or counts.get(one.subscription_id, 0) >= at_once:
                continue
            counts[one.subscription_id] = counts.get(one.subscription_id, 0) + 1
            task = asyncio.create_task(self._deliver(to, one))
            self._on_the_way[place] = task
            task.add_done_callback(lambda _, place=place: self._on_the_way.pop(place, None))
            started = True
        return started

    async def _deliver(self, to: Active, delivery: Delivery) -> None:
        try:
            began = time.perf_counter()
            answer = await self._told(to, delivery)
            duration_ms = 1000 * (time.perf_counter() - began)
            await self._note(to, delivery, answer, duration_ms)
            self.sent += 1
        except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError) as error:
            log.warning("a delivery waits for Postgres: %s", type(error).__name__)

    async def _told(self, to: Active, delivery: Delivery) -> Answer:
        try:
            async with self._connection() as connection:
                said = await deliveries.body_of(connection, self._vault, delivery, self._book)
        except HubError as error:
            return Answer(None, error.what, is_ours=True)
        if said is None:
            return Answer(200, "nothing is left to tell")
        return await self._sender.send(to.target_url, to.secrets, said, _message_id(delivery))

    async def _note(
        self, to: Active, delivery: Delivery, answer: Answer, duration_ms: float
    ) -> None:
        now = self._clock()
        number = delivery.attempts + 1
        attempt = Attempt(number, answer.status, answer.error, duration_ms)
        async with self._connection() as connection, connection.transaction():
            tries_max = await self._tries_max(connection, delivery)
            verdict = delivering.verdict(answer, number, now - delivery.created_at, tries_max)
            if verdict in ("delivered", "failed", "gone"):
                state = "delivered" if verdict == "delivered" else "failed"
                await deliveries.end(connection, delivery, state, attempt)
                if state == "failed" and delivery.rule is not None:
                    await rule_runs.note_failed_delivery(connection, delivery)
            else:
                wait = self._wait(to, answer, number, is_away=verdict == "away")
                await deliveries.try_again(connection, delivery, attempt, now + wait)
            if verdict == "gone":
                await subscriptions.set_state(
                    connection, to.subscription_id, "disabled", "the receiver answered 410"
                )
            await self._note_receiver(connection, to, answer, is_away=verdict == "away")
        if verdict in ("gone", "away") or to.failures:
            self._known_at_s = 0.0

    async def _tries_max(self, connection: Any, delivery: Delivery) -> int | None:
        """How often a delivery is tried that its receiver refuses, if it is a rule's."""
        if delivery.rule is None:
            return None
        try:
            rule = await self._book.version(connection, delivery.rule, delivery.rule_version or 0)
        except RuleBroken:
            return None
        return rule.checked.rule.on_error.retries + 1

    def _wait(self, to: Active, answer: Answer, number: int, *, is_away: bool) -> timedelta:
        if is_away:
            return delivering.away_wait(to.failures + 1, random.random(), answer.retry_after)
        return delivering.next_wait(number, random.random())

    async def _note_receiver(
        self, connection: Any, to: Active, answer: Answer, *, is_away: bool
    ) -> None:
        if is_away:
            failures = to.failures + 1
            wait = delivering.away_wait(failures, random.random(), answer.retry_after)
            resumes_at = self._clock() + wait
            await subscriptions.note_failures(connection, to.subscription_id, failures, resumes_at)
        elif to.failures:
            await subscriptions.note_failures(connection, to.subscription_id, 0, None)

    def _connection(self) -> Any:
        assert self._pool is not None, "opened first"
        return self._pool.acquire()


def _message_id(delivery: Delivery) -> str:
    """The same each time this is sent; another one for a position that changed meanwhile."""
    if delivery.sku is None:
        return f"msg_{ids.text(delivery.delivery_id)}"
    return f"msg_{ids.text(delivery.delivery_id)}_{delivery.generation}"
