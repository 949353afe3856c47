"""The streams as assets: how far the tables lag behind the topics.

Not here: the workers that do it (`streams`), and which tables
they keep (`defs/streams`).
"""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import psycopg
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient

from hub.domain import topics
from hub.settings import Settings

CONNECT_TIMEOUT_S = 5
KAFKA_TIMEOUT_S = 10
QUERY_TIMEOUT_MS = 10_000

STREAM_TABLE_TAG = "hub/stream_table"
"""Marks the assets that the stream workers keep (`hub_assets.components.stream_table`)."""
_DECIDED = "kept by decisions of the hub alone: no topic feeds it"
INTERNAL: Mapping[str, str] = {
    "approvals": _DECIDED,
    "case_handling": _DECIDED,
    "configs": _DECIDED,
    "member_rulings": _DECIDED,
    "tier_gifts": _DECIDED,
    "tier_reviews": _DECIDED,
    "points_shares": _DECIDED,
    "identifier_values": "locks that joins of members take, one a value",
    "outbox_readers": "how far those who follow the outbox have come",
    "deliveries": "what subscribers are to be told, and how that went",
    "delivery_attempts": "each try to tell them",
    "rule_runs": "what sync rules made of facts",
    "rule_effects": "what sync rules have to do that is no delivery",
    "rule_hours": "what sync rules did, counted by the hour",
    "rule_schedules": "when sync rules ran by their schedules",
    "rule_dues": "whom a schedule found and the rule was not run on yet",
    "audit": "who did and saw what, a chain that is only added to",
    "audit_head": "the end of that chain",
    "orders_over": "when orders ended, for the coupons and points that were used on them",
}
"""Table of schema hub that is no asset -> why not."""
# Topics that the hub writes, and the table whose rows they carry.
FED_FROM: Mapping[str, tuple[str, str]] = {
    topics.FACTS: ("hub", "outbox"),
    topics.DEAD_LETTERS: ("log", "dead_letters"),
}

Table = tuple[str, str]


def tables(graph: Any) -> dict[Table, tuple[str, ...]]:
    """(schema, table) -> the topics that feed it, sorted. graph: Dagster's asset graph."""
    found: dict[Table, tuple[str, ...]] = {}
    for key in sorted(graph.get_all_asset_keys()):
        node = graph.get(key)
        if STREAM_TABLE_TAG in node.tags:
            schema, table = key.path
            found[schema, table] = tuple(sorted(parent.path[-1] for parent in node.parent_keys))
    return found


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
    bounds = asyncio.run(
        asyncio.wait_for(_bounds(settings.brokers, topics.COMMERCE), KAFKA_TIMEOUT_S)
    )
    return {topic: _state(topic, bounds[topic], stored.get(topic)) for topic in topics.COMMERCE}


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
    timeout_ms = KAFKA_TIMEOUT_S * 1000
    # A consumer knows the partitions of nothing but what it reads itself.
    admin = AIOKafkaAdminClient(bootstrap_servers=brokers, request_timeout_ms=timeout_ms)
    consumer = AIOKafkaConsumer(bootstrap_servers=brokers, request_timeout_ms=timeout_ms)
    try:
        await admin.start()
        await consumer.start()
        places = [
            TopicPartition(topic["topic"], partition["partition"])
            for topic in await admin.describe_topics(list(names))
            for partition in topic["partitions"]
        ]
        begins = await consumer.beginning_offsets(places)
        ends = await consumer.end_offsets(places)
    finally:
        await consumer.stop()
        await admin.close()
    bounds: dict[str, dict[int, tuple[int, int]]] = {name: {} for name in names}
    for place in places:
        bounds[place.topic][place.partition] = (begins[place], ends[place])
    return bounds
