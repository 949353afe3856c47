"""`python -m streams.deliveries`: tells subscribers, in order for each object, each at its pace.

One process works at a time; another waits for its place. A delivery counts as made once its answer
was noted, so after a crash it may be sent again, under the same id. Nothing is sent in a
transaction.
"""

import asyncio
import logging
import random
import time
from collections.abc import Callable, Collection, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg

from hub.domain import delivering, ids
from hub.domain.delivering import Answer
from hub.domain.ids import Key
from hub.errors import HubError
from hub.settings import Settings
from hub.store import db, deliveries, delivery_bodies, outbox, rule_runs, subscriptions
from hub.store.deliveries import Attempt, Delivery
from hub.store.delivery_bodies import Said
from hub.store.outbox import Position, ReaderMoved, Told, ToldBatch
from hub.store.rule_book import RuleBook, RuleBroken
from hub.store.sealing import Vault
from hub.store.subscriptions import Active
from hub.store.waking import NET_S, Bell
from streams.deliveries.notes import Notes
from streams.deliveries.queues import Queue
from streams.deliveries.sender import Sender

log = logging.getLogger(__name__)

APPLICATION = "hub deliveries"
"""By this name the outbox knows that the connection writes no facts."""
AT_ONCE_MAX = 8
"""Deliveries of one subscription on their way at once: a slow receiver takes no more places."""
AT_ONCE_CROWDED = 2
CROWDED = 256
"""So many on their way in all mean that many receivers are slow: each gets fewer places."""
SUBSCRIPTIONS_EVERY_S = 0.5
"""So soon is known what changes by itself: a channel's state, a secret that is over."""
FILL_EVERY_S = 0.25
"""Between two readings of all that waits: so soon is known what others have put there."""
LOOK_EVERY_S = 0.1
"""Between looks for what is due again."""
FRESH_MAX = 2_000
"""Facts that are kept in memory between being noted and being sent."""
POOL_MAX = 6
AWAY_S = 1.0
Clock = Callable[[], datetime]
_AWAY = (asyncpg.PostgresError, asyncpg.InterfaceError, ReaderMoved, OSError, TimeoutError)
_Place = tuple[Key, str]


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
        self._notes: Notes | None = None
        self._holder: db.Connection | None = None
        self._book = RuleBook(settings.rule_address_list)
        self._place: Position = (0, 0)
        self._bell = Bell()
        self._known: list[Active] = []
        self._known_at_s = 0.0
        self._looked_at_s = self._filled_at_s = 0.0
        self._queues: dict[Key, Queue] = {}
        # Subscriptions of which something may be due, since it was noted or has room again.
        self._touched: set[Key] = set()
        self._ended: list[Delivery] = []
        self._spoiled: set[Key] = set()
        self._fresh: dict[Position, Told] = {}
        self._on_the_way: dict[_Place, asyncio.Task[None]] = {}
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
            server_settings={
                "search_path": "hub",
                "application_name": APPLICATION,
                # What a crash of the server takes back is sent again, under the same id.
                "synchronous_commit": "off",
            },
        )
        self._notes = Notes(self._pool)
        await self._sender.open()

    async def close(self) -> None:
        """Let what is on its way end or go, then leave the place to others."""
        for task in self._on_the_way.values():
            task.cancel()
        await asyncio.gather(*self._on_the_way.values(), return_exceptions=True)
        if self._notes is not None:
            await self._notes.close()
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
            except _AWAY as error:
                log.warning("deliveries wait for Postgres: %s", type(error).__name__)
                await self._let_go()
                await asyncio.sleep(AWAY_S)
                continue
            if not did:
                await self._bell.wait(NET_S)

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
        self._holder = await db.connect(self._settings.dsn("writer"), application=APPLICATION)
        await self._holder.execute("set synchronous_commit to off")
        await outbox.register(self._holder, deliveries.READER, is_from_now=True)
        self.is_working = await outbox.try_hold(self._holder, deliveries.READER)
        if self.is_working:
            self._place = await outbox.place_of(self._holder, deliveries.READER)
            await self._bell.listen(self._holder)
            await self._holder.add_listener(subscriptions.CHANGED, self._forget_subscriptions)
        else:
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
        self._known_at_s = time.monotonic()
        async with self._connection() as connection:
            self._known = await subscriptions.active(connection, self._vault)

    def _forget_subscriptions(self, *_: object) -> None:
        self._known_at_s = 0.0

    async def _spread(self) -> bool:
        assert self._holder is not None
        # Facts that nobody asked for are passed over without a look at them.
        types = None if self._known else []
        told, until = await outbox.told_after(self._holder, self._vault, self._place, types=types)
        if until is None:
            return False
        if not self._known_at_s:
            return True  # Somebody subscribed, perhaps before these facts: both are read again.
        batch = ToldBatch(deliveries.READER, self._place, told, until)
        noted = await deliveries.spread(self._holder, batch, self._known)
        self._place = until
        self._keep_fresh(told)
        by_owner: dict[Key, list[Delivery]] = {}
        for one in noted:
            by_owner.setdefault(one.subscription_id, []).append(one)
        for owner, added in by_owner.items():
            if owner in self._queues:
                self._queues[owner].add(added)
            self._touched.add(owner)
        return True

    def _keep_fresh(self, told: Sequence[Told]) -> None:
        self._fresh.update({fact.position: fact for fact in told[-FRESH_MAX:]})
        for oldest in list(self._fresh)[: len(self._fresh) - FRESH_MAX]:
            del self._fresh[oldest]

    async def _start_due(self) -> bool:
        now = self._clock()
        self._look_again()
        room = self._room(now)
        looked_at = self._touched & room.keys()
        self._touched -= looked_at
        if not looked_at:
            return False
        await self._fill(looked_at)
        busy: dict[Key, set[str]] = {}
        for owner, order_key in self._on_the_way:
            busy.setdefault(owner, set()).add(order_key)
        due = [
            one
            for owner in looked_at & self._queues.keys()
            for one in self._queues[owner].due(busy.get(owner, set()), now, room[owner])
        ]
        if not due:
            return False
        async with self._connection() as connection:
            said = await delivery_bodies.bodies_of(connection, self._vault, due, self._fresh)
        by_id = {one.subscription_id: one for one in self._known}
        for one in due:
            self._start(by_id[one.subscription_id], one, said.get(one.delivery_id))
        return True

    def _look_again(self) -> None:
        """Now and then all may have something due; and less often all is read anew."""
        at_s = time.monotonic()
        if at_s - self._filled_at_s >= FILL_EVERY_S:
            self._filled_at_s = at_s
            self._queues.clear()
        if at_s - self._looked_at_s >= LOOK_EVERY_S:
            self._looked_at_s = at_s
            self._touched.update(one.subscription_id for one in self._known)

    async def _fill(self, owners: Collection[Key]) -> None:
        wanted = [
            owner for owner in owners if owner not in self._queues or self._queues[owner].is_used_up
        ]
        if not wanted:
            return
        # What ends while we read may be read as waiting: it must not go again. Nor may what failed
        # meanwhile be read as it was before.
        self._ended.clear()
        self._spoiled.clear()
        async with self._connection() as connection:
            waiting = await deliveries.waiting(connection, wanted)
        by_owner: dict[Key, list[Delivery]] = {owner: [] for owner in wanted}
        for one in waiting:
            by_owner[one.subscription_id].append(one)
        for owner, rows in by_owner.items():
            self._queues[owner] = queue = Queue(rows if owner not in self._spoiled else ())
            for sent in self._ended:
                queue.end(sent)
        for owner in self._spoiled & by_owner.keys():
            self._reread(owner)

    def _room(self, now: datetime) -> dict[Key, int]:
        """How many more each subscription may have on its way, of those that may have more."""
        counts: dict[Key, int] = {}
        for owner, _ in self._on_the_way:
            counts[owner] = counts.get(owner, 0) + 1
        most = AT_ONCE_MAX if len(self._on_the_way) < CROWDED else AT_ONCE_CROWDED
        room: dict[Key, int] = {}
        for one in self._known:
            if one.is_held or (one.resumes_at is not None and one.resumes_at > now):
                continue
            # A receiver that was away is asked with one delivery before it gets all others.
            at_once = 1 if delivering.is_away(one.failures) else most
            free = at_once - counts.get(one.subscription_id, 0)
            if free > 0:
                room[one.subscription_id] = free
        return room

    def _start(self, to: Active, delivery: Delivery, said: Said | None) -> None:
        place = (delivery.subscription_id, delivery.order_key)
        task = asyncio.create_task(self._deliver(to, delivery, said))
        self._on_the_way[place] = task

        def ended(_: asyncio.Task[None]) -> None:
            self._on_the_way.pop(place, None)
            self._touched.add(delivery.subscription_id)
            self._bell.ring()

        task.add_done_callback(ended)

    async def _deliver(self, to: Active, delivery: Delivery, said: Said | None) -> None:
        began, at = time.perf_counter(), _now()
        try:
            answer = await self._answer(to, delivery, said)
            duration_ms = 1000 * (time.perf_counter() - began)
            attempt = Attempt(delivery.attempts + 1, at, answer.status, answer.error, duration_ms)
            self.sent += 1
            await self._note(to, delivery, answer, attempt)
        except _AWAY as error:
            self._reread(to.subscription_id)
            log.warning("a delivery waits for Postgres: %s", type(error).__name__)

    async def _answer(self, to: Active, delivery: Delivery, said: Said | None) -> Answer:
        """What the receiver answers. said: of what is no rule's; a rule says what it makes now."""
        if delivery.rule is not None:
            try:
                async with self._connection() as connection:
                    about = (self._vault, self._book)
                    said = await delivery_bodies.by_rule(connection, *about, delivery)
            except HubError as error:
                return Answer(None, error.what, is_ours=True)
        if said is None:
            return Answer(200, "nothing is left to tell")
        return await self._sender.send(to.target_url, to.secrets, said, message_id(delivery))

    async def _note(self, to: Active, delivery: Delivery, answer: Answer, attempt: Attempt) -> None:
        now = self._clock()
        age = now - delivery.created_at
        verdict = delivering.verdict(answer, attempt.number, age, await self._tries_max(delivery))
        if verdict == "delivered" and not to.failures:
            assert self._notes is not None, "opened first"
            await self._notes.delivered(delivery, attempt)
            self._end(delivery)
            return
        failures = to.failures + 1 if verdict == "away" else 0
        async with self._connection() as connection, connection.transaction():
            if verdict == "delivered":
                await deliveries.end_delivered(connection, [(delivery, attempt)])
            elif verdict in ("failed", "gone"):
                await deliveries.end(connection, delivery, "failed", attempt)
                if delivery.rule is not None:
                    await rule_runs.note_failed_delivery(connection, delivery)
            else:
                wait = _wait(answer, attempt.number, is_away=verdict == "away")
                await deliveries.try_again(connection, delivery, attempt, now + wait)
            if verdict == "gone":
                await subscriptions.set_state(
                    connection, to.subscription_id, "disabled", "the receiver answered 410"
                )
            elif failures or to.failures:
                resumes_at = self._resumes_at(answer, failures)
                await subscriptions.note_failures(
                    connection, to.subscription_id, failures, resumes_at
                )
        self._known_at_s = 0.0
        self._reread(to.subscription_id)

    async def _tries_max(self, delivery: Delivery) -> int | None:
        """How often a delivery is tried that its receiver refuses, if it is a rule's."""
        if delivery.rule is None:
            return None
        named = delivery.rule, delivery.rule_version or 0
        try:
            async with self._connection() as connection:
                rule = await self._book.version(connection, *named)
        except RuleBroken:
            return None
        return rule.checked.rule.on_error.retries + 1

    def _end(self, delivery: Delivery) -> None:
        """It is delivered."""
        self._ended.append(delivery)
        if delivery.subscription_id in self._queues:
            self._queues[delivery.subscription_id].end(delivery)

    def _reread(self, owner: Key) -> None:
        """What waits of a subscription is not as we know it."""
        self._spoiled.add(owner)
        self._queues.pop(owner, None)
        self._touched.add(owner)

    def _resumes_at(self, answer: Answer, failures: int) -> datetime | None:
        """When a receiver is looked at again; None if it still gets what is due."""
        wait = delivering.rest(failures, random.random(), answer.retry_after)
        return self._clock() + wait if wait is not None else None

    def _connection(self) -> Any:
        assert self._pool is not None, "opened first"
        return self._pool.acquire()


def _wait(answer: Answer, number: int, *, is_away: bool) -> timedelta:
    if is_away:
        return delivering.away_wait(number, random.random(), answer.retry_after)
    return delivering.next_wait(number, random.random())


def message_id(delivery: Delivery) -> str:
    """The same each time this is sent; another one for a position that changed meanwhile."""
    if delivery.sku is None:
        return f"msg_{ids.text(delivery.delivery_id)}"
    return f"msg_{ids.text(delivery.delivery_id)}_{delivery.generation}"
