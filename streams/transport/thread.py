"""The thread that owns the Kafka client: its settings, paced fetches, and what it knows.

Faust runs the aiokafka consumer in a thread of its own, so heartbeats go on while a batch is
decoded. Not here: anything about batches (`streams.transport.consumer`).
"""

import asyncio
import contextlib
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple, cast

import aiokafka
from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.coordinator.assignors.roundrobin import RoundRobinPartitionAssignor
from aiokafka.structs import OffsetAndMetadata
from faust.transport.consumer import RecordMap
from faust.transport.drivers.aiokafka import (
    AIOKafkaConsumerThread,
    credentials_to_aiokafka_auth,
    server_list,
)
from faust.types import TP

from streams.transport.batch import Read
from streams.transport.config import FETCH_BYTES_MAX, FETCH_WAIT_MS
from streams.transport.pace import Pace

ADMIN_TIMEOUT_MS = 10_000


class Place(NamedTuple):
    """What the client knows of a partition: its fetch position and the readable end."""

    position: int
    end: int


class Fetched(dict[TP, list[Any]]):
    """Records by partition, as Faust wants them, and what was read of each partition."""

    def __init__(self, records: RecordMap, reads: dict[TopicPartition, Read]) -> None:
        """`reads` also has partitions of which there was nothing but a gap to read."""
        super().__init__(records)
        self.reads = reads


class FetchThread(AIOKafkaConsumerThread):
    """The driver's thread, with fetches that can be held back."""

    def __post_init__(self) -> None:
        """Called by the constructor of Faust's services."""
        super().__post_init__()
        self.pace = Pace(linger_s=0.0)
        self._fetching: asyncio.Future[RecordMap] | None = None
        self._held: frozenset[TopicPartition] = frozenset()
        # Where the client was sent since the fetch under way began.
        self._sought: dict[TopicPartition, int] = {}

    def _create_worker_consumer(self, transport: Any) -> aiokafka.AIOKafkaConsumer:
        """As the driver's, but for the fetch wait (1,500 ms there) and committed reads."""
        conf = self.app.conf
        self._assignor = RoundRobinPartitionAssignor
        return aiokafka.AIOKafkaConsumer(
            client_id=conf.broker_client_id,
            group_id=conf.id,
            group_instance_id=conf.consumer_group_instance_id,
            bootstrap_servers=",".join(server_list(transport.url, transport.default_port)),
            partition_assignment_strategy=[RoundRobinPartitionAssignor],
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            isolation_level="read_committed",
            max_poll_records=conf.broker_max_poll_records,
            max_poll_interval_ms=int((conf.broker_max_poll_interval or 0) * 1000),
            max_partition_fetch_bytes=conf.consumer_max_fetch_size,
            fetch_max_bytes=FETCH_BYTES_MAX,
            fetch_max_wait_ms=FETCH_WAIT_MS,
            request_timeout_ms=int(conf.broker_request_timeout * 1000),
            session_timeout_ms=int(conf.broker_session_timeout * 1000),
            rebalance_timeout_ms=int(conf.broker_rebalance_timeout * 1000),
            heartbeat_interval_ms=int(conf.broker_heartbeat_interval * 1000),
            check_crcs=conf.broker_check_crcs,
            metadata_max_age_ms=conf.consumer_metadata_max_age_ms,
            connections_max_idle_ms=conf.consumer_connections_max_idle_ms,
            **credentials_to_aiokafka_auth(conf.broker_credentials, conf.ssl_context),
        )

    async def getmany(self, active_partitions: set[TP] | None, timeout: float) -> RecordMap:
        """One fetch, asked for from the main thread.

        Past Faust's method queue, which starts three tasks for each call.
        """
        answer: asyncio.Future[RecordMap] = asyncio.get_running_loop().create_future()
        asked = (frozenset(active_partitions or ()), timeout, answer)
        self.thread_loop.call_soon_threadsafe(self._begin_fetch, *asked)
        return await answer

    def _begin_fetch(
        self, partitions: frozenset[TP], timeout: float, answer: asyncio.Future[RecordMap]
    ) -> None:
        """In the client's thread. One at a time: one nobody waits for would steal records."""
        before, self._fetching = (
            self._fetching,
            asyncio.ensure_future(self._fetch_after(self._fetching, partitions, timeout)),
        )
        if before is not None:
            before.cancel()
        self._fetching.add_done_callback(lambda fetch: _answer(answer, fetch))

    async def _fetch_after(
        self,
        before: asyncio.Future[RecordMap] | None,
        partitions: frozenset[TP],
        timeout: float,
    ) -> RecordMap:
        if before is not None and not before.done():
            await asyncio.wait([before])
        consumer = self._ensure_consumer()
        # While a lane is full, what it can't take yet lies fetched in the client; a pause would
        # throw that away.
        may_hold = partitions >= consumer.assignment() - consumer.paused()
        assignment, begins = self._positions(consumer)
        self._sought.clear()
        records = await self._fetch_records(
            consumer, set(partitions), timeout, self.app.conf.broker_max_poll_records
        )
        # Nothing is awaited from here on.
        ends_of, ends = self._positions(consumer)
        begins = self._sought if ends_of is not assignment else begins | self._sought
        reads = {}
        for tp, end in ends.items():
            begin = begins.get(tp)
            found = records.get(cast(TP, tp), ())
            if found or begin not in (None, end):
                reads[tp] = Read(found, begin, end)
        if records and may_hold and not self._held:
            self._hold(consumer, sum(map(len, records.values())))
        return Fetched(records, reads)

    def _hold(self, consumer: aiokafka.AIOKafkaConsumer, count: int) -> None:
        """Pause all partitions for the linger, before the client sends its next fetch."""
        loop = asyncio.get_running_loop()
        hold_s = self.pace.hold_s(loop.time(), count)
        if hold_s > 0:
            self._held = frozenset(consumer.assignment() - consumer.paused())
            consumer.pause(*self._held)
            loop.call_later(hold_s, self._let_go, consumer)

    def _let_go(self, consumer: aiokafka.AIOKafkaConsumer) -> None:
        held, self._held = self._held, frozenset()
        consumer.resume(*(held & consumer.assignment()))

    async def _seek_wait(
        self, consumer: aiokafka.AIOKafkaConsumer, partitions: Mapping[TP, int]
    ) -> None:
        """A fetch that waits meanwhile reads from the new place."""
        self._sought.update({_plain(tp): offset for tp, offset in partitions.items()})
        await super()._seek_wait(consumer, partitions)

    def _positions(
        self, consumer: aiokafka.AIOKafkaConsumer
    ) -> tuple[object, dict[TopicPartition, int]]:
        """The client's fetch positions, where it has one, and the assignment they belong to."""
        subscription = consumer._subscription.subscription
        assignment = subscription and subscription.assignment
        if assignment is None:
            return None, {}
        states = {tp: assignment.state_value(tp) for tp in assignment.tps}
        valid = {tp: state.position for tp, state in states.items() if state.has_valid_position}
        return assignment, valid

    async def refuse(self, tps: Iterable[TopicPartition]) -> None:
        """Fetch nothing from these partitions."""

        async def pause() -> None:
            consumer = self._ensure_consumer()
            self._held -= wanted
            consumer.pause(*(wanted & consumer.assignment()))

        wanted = {_plain(tp) for tp in tps}
        await self.call_thread(pause)

    async def accept(self, tps: Iterable[TopicPartition]) -> None:
        """Fetch from these again, if they were refused."""

        async def resume() -> None:
            consumer = self._ensure_consumer()
            consumer.resume(*((wanted - self._held) & consumer.paused()))

        wanted = {_plain(tp) for tp in tps}
        await self.call_thread(resume)

    async def places(self) -> dict[TopicPartition, Place]:
        """Where the client is in each partition that has been fetched from."""

        async def look() -> dict[TopicPartition, Place]:
            consumer = self._ensure_consumer()
            found = {}
            for tp, position in self._positions(consumer)[1].items():
                end = consumer.last_stable_offset(tp)
                if end is not None:
                    found[tp] = Place(position, end)
            return found

        return cast(dict[TopicPartition, Place], await self.call_thread(look))

    async def commit_offsets(self, offsets: Mapping[TopicPartition, int]) -> None:
        """Tell Kafka, for its lag tools. Unlike the driver's commit it may fail."""
        wanted = {tp: OffsetAndMetadata(offset, "") for tp, offset in offsets.items()}

        async def commit() -> None:
            consumer = self._ensure_consumer()
            mine = consumer.assignment()
            kept = {tp: meta for tp, meta in wanted.items() if tp in mine}
            if kept:
                await consumer.commit(kept)

        await self.call_thread(commit)


def _answer(answer: asyncio.Future[RecordMap], fetch: asyncio.Future[RecordMap]) -> None:
    """Bring the outcome of a fetch to the thread that asked."""

    def bring() -> None:
        if answer.done():
            return
        if fetch.cancelled():
            answer.set_result({})
        elif (error := fetch.exception()) is not None:
            answer.set_exception(error)
        else:
            answer.set_result(fetch.result())

    with contextlib.suppress(RuntimeError):  # the main loop has closed: nobody waits
        answer.get_loop().call_soon_threadsafe(bring)


def _plain(tp: TP | TopicPartition) -> TopicPartition:
    """Faust's and the client's pairs are equal, but the client insists on its own."""
    return TopicPartition(tp.topic, tp.partition)


async def cluster_id(brokers: list[str]) -> str:
    """The id the Kafka cluster was formatted with; offsets mean nothing in another one."""
    admin = AIOKafkaAdminClient(
        bootstrap_servers=brokers, request_timeout_ms=ADMIN_TIMEOUT_MS, client_id="hub-streams"
    )
    await admin.start()
    try:
        described = await admin.describe_cluster()
        return described.get("cluster_id") or ""
    finally:
        await admin.close()
