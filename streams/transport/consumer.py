"""The Faust consumer that carries whole batches from the fetch to the lanes.

Group membership, rebalancing and recovery stay Faust's. What it calls is overridden here, in
the order of an assignment's life: `seek_to_committed`, `_getmany`, `on_partitions_revoked`,
`on_stop`. Not here: writing (`lanes`), the client (`thread`).
"""

import asyncio
import contextlib
import time
from collections.abc import Collection, Mapping, MutableMapping
from typing import TYPE_CHECKING, Any, cast

from aiokafka import TopicPartition
from aiokafka.errors import IllegalStateError, KafkaError
from faust.transport.consumer import RecordMap
from faust.transport.drivers.aiokafka import Consumer, server_list
from faust.types import TP
from mode import Service

from hub.errors import HubError
from hub.store.offsets import FencedError
from streams.transport import assignment, config
from streams.transport.batch import Read
from streams.transport.report import Report
from streams.transport.state import BEGINNING, FAILED_LANE
from streams.transport.tenure import Sorted, Tenure
from streams.transport.thread import Fetched, FetchThread, cluster_id

if TYPE_CHECKING:
    from streams.transport.driver import BatchTransport

# While a lane is full, look this often whether it has room again.
FULL_LANE_POLL_S = 0.01
TIDY_EVERY_S = 1.0
START_OVER_AFTER_S = 1.0
RECONSIDER_EVERY_S = 10.0
KAFKA_COMMIT_TIMEOUT_S = 5.0


class Reconsidered(HubError):
    """A partition that was refused can be read now."""


class BatchConsumer(Consumer):
    """Takes the batch topics out of each fetch; all other topics go Faust's way."""

    transport: "BatchTransport"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """As Faust's; what it carries is in the transport."""
        super().__init__(*args, **kwargs)
        self._config = self.transport.config
        self._handler = self.transport.handler
        self._state = self.transport.state
        self._fetches = cast(FetchThread, self._thread)
        self._fetches.pace = self.transport.new_pace()
        self._topics = frozenset(self._config.topics)
        self._tenure: Tenure | None = None
        self._seeking = asyncio.Lock()
        self._report = Report(self.app, self._state)
        self._tidied_at = self._reconsidered_at = 0.0
        self._committed: dict[TopicPartition, int] = {}

    def _new_consumer_thread(self) -> FetchThread:
        return FetchThread(self, loop=self.loop, beacon=self.beacon)

    async def on_start(self) -> None:
        """Ready the handler before the group gives us anything."""
        self._state.rebalancing_since = time.monotonic()
        await super().on_start()
        await self._handler.start()

    # -- given partitions

    async def seek_to_committed(self) -> Mapping[TP, int]:
        """Begin a tenure: read the offsets from Postgres, check them, seek there."""
        async with self._seeking:
            await self._end_tenure(config.REVOKE_PATIENCE_S)
            assigned = {TopicPartition(tp.topic, tp.partition) for tp in self.assignment()}
            ours = {tp for tp in assigned if tp.topic in self._topics}
            offsets: dict[TopicPartition, int] = {}
            if assigned - ours:
                client = self._thread._ensure_consumer()
                call = self._thread.call_thread(client.seek_to_committed, *(assigned - ours))
                offsets.update(await call)
            if ours:
                offsets.update(await self._try_to_begin(ours))
            self._report.assigned(ours)
            return cast(Mapping[TP, int], offsets)

    async def _try_to_begin(self, ours: set[TopicPartition]) -> dict[TopicPartition, int]:
        """Begin now, or leave the partitions unread and try again in a while.

        An error must not leave here: Faust would stop for good without a word.
        """
        try:
            async with asyncio.timeout(config.SEEK_TIMEOUT_S):
                offsets = await self._begin_tenure(ours)
        except IllegalStateError:  # lost meanwhile: a rebalance, Faust comes again
            raise
        except Exception as error:  # noqa: BLE001 - Postgres or the broker is away, for now
            self.add_future(self._start_over(None, error))
            return {}
        self._state.trouble.pop(BEGINNING, None)
        return offsets

    async def _begin_tenure(self, ours: set[TopicPartition]) -> dict[TopicPartition, int]:
        cluster, starts = await self._starts(ours)
        await self._refuse(starts.refused)
        await self._fetches.accept(starts.offsets)
        await self.seek_wait(cast(Mapping[TP, int], starts.offsets))
        tenure = Tenure(self._config, self._handler, self._state, starts.offsets, cluster)
        tenure.open(self._report.stored, lambda error: self._on_failure(tenure, error))
        self._state.reached = tenure.positions.reached()
        self._tenure = tenure
        self._tidied_at = self._reconsidered_at = time.monotonic()
        return starts.offsets

    async def _starts(self, tps: Collection[TopicPartition]) -> tuple[str, assignment.Starts]:
        """Ask Postgres and the broker where to begin, and whether that fits."""
        stored = await self._handler.stored_offsets(tps)
        cluster = await cluster_id(server_list(self.transport.url, self.transport.default_port))
        wanted = cast(Collection[TP], tps)
        begins = await self.earliest_offsets(*wanted)
        ends = await self.highwaters(*wanted)
        logs = {tp: assignment.Log(cluster, begins[cast(TP, tp)], ends[cast(TP, tp)]) for tp in tps}
        return cluster, assignment.starts(logs, stored)

    async def _refuse(self, refused: Mapping[TopicPartition, str]) -> None:
        self._report.refused(refused)
        for tp, why in refused.items():
            self.log.error("REFUSED %s/%d: %s", tp.topic, tp.partition, why)
        if refused:
            await self._fetches.refuse(refused)

    def resume_flow(self) -> None:
        """Faust opens the flow when an assignment, maybe an empty one, is ready."""
        super().resume_flow()
        self._state.is_consuming = True
        self._state.rebalancing_since = None

    # -- fetching

    async def _getmany(self, active_partitions: set[TP] | None, timeout: float) -> RecordMap:
        """Fetch and hand on until other topics have records or the time is up."""
        deadline = time.monotonic() + timeout
        while True:
            records = await self._fetch(active_partitions or set(), deadline)
            others = {tp: part for tp, part in records.items() if tp.topic not in self._topics}
            over = time.monotonic() >= deadline or self.should_stop or not self.flow_active
            if others or over:
                return others

    async def _fetch(self, active: set[TP], deadline: float) -> RecordMap:
        tenure = self._tenure
        rest_s = max(0.0, deadline - time.monotonic())
        room = frozenset() if tenure is None else tenure.fetchable()
        ask = {tp for tp in active if tp in room or tp.topic not in self._topics}
        if not ask:
            await self._wait_for_room(tenure, min(rest_s, config.FETCH_WAIT_MS / 1000))
            return {}
        if len(ask) < len(active):
            rest_s = min(rest_s, FULL_LANE_POLL_S)
        records = await super()._getmany(ask, rest_s)
        # Whatever is dropped here leaves a hole, which the partition's next read shows.
        if tenure is not None and tenure is self._tenure and self.flow_active:
            if isinstance(records, Fetched) and records.reads:
                await self._hand_on(tenure, records.reads)
            if time.monotonic() - self._tidied_at > TIDY_EVERY_S:
                await self._tidy(tenure)
        return records

    async def _wait_for_room(self, tenure: Tenure | None, timeout_s: float) -> None:
        if tenure is None or tenure.fetchable():
            await asyncio.sleep(timeout_s)
        else:
            await tenure.wait_for_room(timeout_s)

    async def _hand_on(self, tenure: Tenure, reads: Mapping[TopicPartition, Read]) -> None:
        found = tenure.sort(reads)
        if found.gaps:
            await self._look_at_gaps(tenure, found)
            if tenure is not self._tenure:
                return
        tenure.hand_on(found.good)
        await asyncio.sleep(0)  # an idle lane takes its batch now, and is asked for more
        if found.rereads:
            await self._seek_back(tenure, found.rereads)

    async def _look_at_gaps(self, tenure: Tenure, found: Sorted) -> None:
        """What follows a gap is good, unless it was retention that made the gap."""
        expected = {tp: tenure.positions.expected(tp) for tp in found.gaps}
        try:
            begins = await self.earliest_offsets(*cast(Collection[TP], expected))
        except (KafkaError, TimeoutError) as error:
            self.log.warning("can't look at the log's begin, reading again: %r", error)
            found.rereads |= expected
            return
        lost = {
            tp: assignment.lost(at, begins[cast(TP, tp)])
            for tp, at in expected.items()
            if begins[cast(TP, tp)] > at
        }
        if lost:
            await self._refuse(self._state.refused | lost)
        self._state.metrics.gaps.inc(len(expected) - len(lost))
        found.good |= {tp: read for tp, read in found.gaps.items() if tp not in lost}

    async def _seek_back(self, tenure: Tenure, offsets: Mapping[TopicPartition, int]) -> None:
        self._state.metrics.rereads.inc(len(offsets))
        self.log.info("reading again from %r", offsets)
        async with self._seeking:
            if tenure is self._tenure:
                with contextlib.suppress(IllegalStateError):  # lost meanwhile: a rebalance
                    await self.seek_wait(cast(Mapping[TP, int], offsets))

    async def _tidy(self, tenure: Tenure) -> None:
        """Publish the lag; read again what was lost where nothing has come since."""
        self._tidied_at = time.monotonic()
        places = await self._fetches.places()
        if tenure is not self._tenure:
            return
        reached, astray = tenure.positions.reached(), {}
        for tp, place in places.items():
            if tp not in reached:
                continue
            self._report.lag(tp, place.end, reached[tp])
            if place.position != tenure.positions.expected(tp) and tp not in self._state.refused:
                astray[tp] = tenure.positions.expected(tp)
        self._state.reached = reached
        if astray:
            await self._seek_back(tenure, astray)
        if self._state.refused and self._tidied_at - self._reconsidered_at > RECONSIDER_EVERY_S:
            await self._reconsider(tenure)

    async def _reconsider(self, tenure: Tenure) -> None:
        """Somebody may have put a refused partition's offset right: then begin anew."""
        self._reconsidered_at = self._tidied_at
        try:
            async with asyncio.timeout(config.SEEK_TIMEOUT_S):
                _, starts = await self._starts(set(self._state.refused))
        except Exception as error:  # noqa: BLE001 - it's asked again
            self.log.warning("can't reconsider the refused partitions yet: %r", error)
            return
        if starts.offsets:
            self._on_failure(tenure, Reconsidered(f"{set(starts.offsets)} can be read now"))

    # -- storing

    def _on_failure(self, tenure: Tenure, error: BaseException) -> None:
        if tenure is self._tenure:
            self.add_future(self._start_over(tenure, error))

    async def _start_over(self, tenure: Tenure | None, error: BaseException) -> None:
        """End a tenure that can't go on, and begin another from what Postgres holds."""
        async with self._seeking:
            if tenure is not self._tenure:
                return
            await self._end_tenure(config.REVOKE_PATIENCE_S)
        if isinstance(error, FencedError):
            self._state.metrics.fenced.inc()
            self.log.warning("fenced, starting over from Postgres: %s", error)
        elif isinstance(error, Reconsidered):
            self.log.warning("starting over: %s", error)
        else:
            self.log.error("can't go on, starting over: %r", error, exc_info=error)
            where = BEGINNING if tenure is None else FAILED_LANE
            self._state.trouble[where] = f"{type(error).__name__}: {error}"[:200]
            await asyncio.sleep(START_OVER_AFTER_S)
        # After a rebalance, Faust itself begins the next tenure.
        if self._tenure is None and self.flow_active and not self.should_stop:
            with contextlib.suppress(IllegalStateError):
                await self.perform_seek()

    @Service.task
    async def _commit_now_and_then(self) -> None:
        async for _ in self.itertimer(self._config.commit_interval_s, name="kafka-commit"):
            await self._commit_to_kafka()

    async def _commit_to_kafka(self) -> None:
        """For lag tools only: never past Postgres, and no harm done if it fails."""
        if self._tenure is None or self.app.rebalancing:
            return
        stored = self._tenure.positions.stored()
        news = {tp: at for tp, at in stored.items() if self._committed.get(tp) != at}
        if not news:
            return
        try:
            async with asyncio.timeout(KAFKA_COMMIT_TIMEOUT_S):
                await self._fetches.commit_offsets(news)
        except (KafkaError, TimeoutError) as error:
            self.log.info("commit to Kafka failed, the next one will do: %r", error)
        else:
            self._committed.update(news)
            self.app.monitor.on_tp_commit(cast(MutableMapping[TP, int], news))

    # -- losing partitions

    async def on_partitions_revoked(self, revoked: set[TP]) -> None:
        """Stop the flow, then end the write in flight: the group's join waits for this."""
        self._state.rebalancing_since = time.monotonic()
        self._state.is_consuming = False
        await super().on_partitions_revoked(revoked)
        async with self._seeking:
            await self._end_tenure(config.REVOKE_PATIENCE_S)
        self._committed.clear()

    async def on_stop(self) -> None:
        """End the write in flight, tell Kafka, let the handler go."""
        self._state.is_consuming = False
        tenure = self._tenure
        if tenure is not None:
            await tenure.close(config.STOP_PATIENCE_S)
            await self._commit_to_kafka()
            self._tenure = None
        await self._handler.stop()
        await super().on_stop()

    async def _end_tenure(self, patience_s: float) -> None:
        tenure, self._tenure = self._tenure, None
        if tenure is not None:
            await tenure.close(patience_s)
            self._state.clear_lanes()
