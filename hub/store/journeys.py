"""The way of one event over all hops, with the time of each: what a trace shows.

Times are those that the hub keeps anyway: of Kafka's record, of the write, of the delivery, of each
attempt. Not here: what an event means (`hub.store.reads`).
"""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from msgspec import Struct

from hub.domain import telling
from hub.domain.ids import Key
from hub.store.db import Connection, queries


class Sent(Struct, frozen=True):
    """One attempt of a delivery: when it was sent, and what came of it."""

    at: datetime
    status: int | None
    error: str | None
    duration_ms: float


class Telling(Struct, frozen=True):
    """One subscriber who is told of it. noted_at: when it was known that it is."""

    delivery_id: Key
    subscription_id: Key
    type: str
    state: str
    noted_at: datetime
    attempts: list[Sent]


class Journey(Struct, frozen=True):
    """An event's way. kafka_at: when its record was made, for what came by Kafka; stored_at: when
    the write that took it began."""

    event_key: Key
    event_id: str
    source: str
    type: str
    traceparent: str | None
    topic: str
    partition: int
    offset: int
    kafka_at: datetime
    stored_at: datetime
    outcome: str
    told: list[Telling]


async def of(
    connection: Connection, event_keys: Collection[Key], owners: Collection[Key] | None
) -> list[Journey]:
    """The ways of those of these events that are stored; owners: the subscriptions whose deliveries
    are shown, None for all."""
    rows = await connection.fetch(queries("journeys")["events"], list(event_keys))
    of_whom = None if owners is None else list(owners)
    told: dict[Key, dict[Key, Telling]] = {}
    for row in await connection.fetch(queries("journeys")["told"], list(event_keys), of_whom):
        of_event = told.setdefault(row["event_key"], {})
        if row["delivery_id"] not in of_event:
            of_event[row["delivery_id"]] = _telling(row)
        if row["attempted_at"] is not None:
            of_event[row["delivery_id"]].attempts.append(_sent(row))
    return [_journey(row, list(told.get(row["event_key"], {}).values())) for row in rows]


def _journey(row: Any, told: list[Telling]) -> Journey:
    return Journey(
        row["event_key"],
        row["event_id"],
        row["source"],
        row["type"],
        _traceparent(row),
        row["topic"],
        row["partition"],
        row["kafka_offset"],
        row["produced_at"],
        row["received_at"],
        row["outcome"],
        told,
    )


def _traceparent(row: Any) -> str | None:
    """What is sealed is not opened for this: then the record's header has it, or nothing."""
    if row["sealed_by"] is None and row["body"]:
        said = telling.cloud_event(row["headers"], row["body"])
        return telling.text_of(said, telling.TRACEPARENT)
    return telling.traceparent_of(row["headers"])


def _telling(row: Any) -> Telling:
    return Telling(
        row["delivery_id"],
        row["subscription_id"],
        row["delivery_type"],
        row["state"],
        row["created_at"],
        [],
    )


def _sent(row: Any) -> Sent:
    return Sent(row["attempted_at"], row["status"], row["error"], row["duration_ms"])
