"""The streams as assets: which topic feeds which table, and how far the tables lag behind.

Not here: the workers that do it (`streams`), and what Dagster shows of it (`defs/streams`).
"""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

import psycopg
from aiokafka import AIOKafkaConsumer, TopicPartition

from hub.domain import topics
from hub.settings import Settings

CONNECT_TIMEOUT_S = 5
KAFKA_TIMEOUT_S = 10
QUERY_TIMEOUT_MS = 10_000

STOCK = ("stock_positions", "stock_movements", "live_sessions")
PEOPLE = ("members", "profiles", "member_links")
POINTS = ("points_accounts", "points_entries", "points_lots")
GROWTH = ("growth_entries", "member_tiers")
SPENDINGS = ("points_spends", "points_holds")
ORDERS = ("orders", "order_lines", "order_details", "order_refunds", "order_settlements")
COUPONS = ("coupons", "coupon_redemptions")
# What an event of any topic may write besides.
ALWAYS = ("outbox", "parked", "cases", "case_steps", "channels")
LOG = ("inbox", "events", "dead_letters")

# Topic -> tables of schema hub whose rows follow from its events.
FED_BY: Mapping[str, tuple[str, ...]] = {
    topics.MEMBERS: (*PEOPLE, *GROWTH, "profile_identifiers"),
    # A buyer's account is known from the order; the order moves stock and earns points and growth.
    topics.ORDERS: (*ORDERS, *STOCK, *POINTS, *GROWTH, *PEOPLE),
    topics.INVENTORY: STOCK,
    topics.POINTS: (*POINTS, *SPENDINGS, *PEOPLE),
    topics.COUPONS: (*COUPONS, *PEOPLE),
    topics.CATALOG: ("items", "places"),
}
# Topics that the hub writes, and the table whose rows they carry.
FED_FROM: Mapping[str, tuple[str, str]] = {
    topics.FACTS: ("hub", "outbox"),
    topics.DEAD_LETTERS: ("log", "dead_letters"),
}

Table = tuple[str, str]


def tables() -> dict[Table, tuple[str, ...]]:
    """(schema, table) -> the topics that feed it, sorted."""
    fed: dict[Table, set[str]] = {}
    for topic, names in FED_BY.items():
        for name in (*names, *ALWAYS):
            fed.setdefault(("hub", name), set()).add(topic)
        for name in LOG:
            fed.setdefault(("log", name), set()).add(topic)
    return {table: tuple(sorted(sources)) for table, sources in sorted(fed.items())}


@dataclass(frozen=True)
class TopicState:
    """How far the hub has come in one topic."""

    topic: str
    events: int
    """Events that Kafka has ever had in it."""
    stored: int
    """Sum of the next offsets that the hub will store."""
    lag: int
    """Events in Kafka that the hub has not stored yet."""
    stored_at: datetime | None
    """When the hub last stored something of it."""

    @property
    def version(self) -> str:
        """Changes when, and only when, the hub stored something of this topic."""
        return str(self.stored)


@dataclass(frozen=True)
class _Stored:
    offsets: Mapping[int, int]
    stored_at: datetime | None


def measure(settings: Settings) -> dict[str, TopicState]:
    """The state of each topic that the hub reads, by name.

    Raises psycopg.Error or aiokafka's KafkaError where a server does not answer.
    """
    stored = _stored(settings.dsn("dbt"))
    bounds = asyncio.run(asyncio.wait_for(_bounds(settings.brokers, FED_BY), KAFKA_TIMEOUT_S))
    return {topic: _state(topic, bounds[topic], stored.get(topic)) for topic in FED_BY}


def _state(topic: str, bounds: Mapping[int, tuple[int, int]], stored: _Stored | None) -> TopicState:
    next_offsets = stored.offsets if stored else {}
    lag = sum(max(end - next_offsets.get(i, begin), 0) for i, (begin, end) in bounds.items())
    return TopicState(
        topic,
        events=sum(end for _, end in bounds.values()),
        stored=sum(next_offsets.values()),
        lag=lag,
        stored_at=stored.stored_at if stored else None,
    )


def _stored(dsn: str) -> dict[str, _Stored]:
    options = f"-c statement_timeout={QUERY_TIMEOUT_MS}"
    with psycopg.connect(dsn, connect_timeout=CONNECT_TIMEOUT_S, options=options) as connection:
        rows = connection.execute(
            "select topic, partition, min(next_offset), max(updated_at)"
            " from log.offsets group by topic, partition"
        ).fetchall()
    found: dict[str, _Stored] = {}
    for topic, partition, next_offset, updated_at in rows:
        known = found.get(topic, _Stored({}, None))
        latest = max(known.stored_at or updated_at, updated_at).astimezone(UTC)
        found[topic] = _Stored({**known.offsets, partition: next_offset}, latest)
    return found


async def _bounds(brokers: str, names: Iterable[str]) -> dict[str, dict[int, tuple[int, int]]]:
    """Topic -> partition -> (first offset, end offset); no partitions for a missing topic."""
    consumer = AIOKafkaConsumer(
        bootstrap_servers=brokers, request_timeout_ms=KAFKA_TIMEOUT_S * 1000
    )
    await consumer.start()
    try:
        known = await consumer.topics()
        places = [
            TopicPartition(name, partition)
            for name in names
            if name in known
            for partition in consumer.partitions_for_topic(name) or ()
        ]
        begins = await consumer.beginning_offsets(places)
        ends = await consumer.end_offsets(places)
    finally:
        await consumer.stop()
    bounds: dict[str, dict[int, tuple[int, int]]] = {name: {} for name in names}
    for place in places:
        bounds[place.topic][place.partition] = (begins[place], ends[place])
    return bounds
