"""Commands: what the hub decides at once, in one transaction, answered once for each request.

A command makes decision events and takes them by the same path as events of Kafka: log, fold,
effects, outbox. Where what it wants is not possible it is refused and leaves nothing behind. Not
here: what is possible, which each noun knows.
"""

import asyncio
import random
import uuid
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from typing import Any, cast

import asyncpg
from msgspec import Struct

from hub.domain import decisions, events, telling, tracing
from hub.domain.decisions import Decision
from hub.domain.envelope import Event
from hub.errors import HubError
from hub.store import apply, reservations, supply
from hub.store.db import Connection, queries
from hub.store.records import Record, Work
from hub.store.sealing import Vault

TOPIC = "hub"
"""Where the log says a decision came from: no topic of Kafka."""
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
TRIES_MAX = 8
BACKOFF_S = 0.005
Answer = dict[str, Any]


class Asked(Struct, frozen=True):
    """A request: whose key asks, the name the asker gave it, and a digest of what it asks."""

    key_prefix: str
    idempotency_key: str
    digest: bytes


class IdempotencyKeyReused(HubError):
    """The same idempotency key came before with another request."""


class RequestInFlight(HubError):
    """A request of the same idempotency key is being done at this moment."""


async def run(
    connection: Connection,
    vault: Vault,
    wanted: Sequence[Decision],
    at: datetime | None = None,
) -> Work:
    """Make these decisions together or none, in the caller's transaction. Raises `Refused`.

    at: when they count, for what is decided about a time past. Otherwise the database's clock once
    the entities are locked: decisions about one entity then have their order, whoever makes them.
    """
    asked = [_event(decision) for decision in wanted]
    await supply.claim(connection, apply.claimed(asked), asked)
    row = await connection.fetchrow(queries("commands")["clock_with_bundles"])
    assert row is not None
    at = at or cast(datetime, row["now"])
    if row["has_bundles"]:
        wanted = await reservations.name_components(connection, wanted, at)
    records = [_record(decision, at) for decision in wanted]
    return await apply.apply_decisions(connection, vault, records)


async def once(
    connection: Connection,
    asked: Asked,
    work: Callable[[Connection], Awaitable[Answer]],
) -> Answer:
    """Do the work in a transaction and keep its answer; a request sent again gets that answer.

    What ends in an error is not kept, so it can be tried again. A deadlock or a serialization
    failure is tried again here. Raises `IdempotencyKeyReused`, `RequestInFlight`.
    """
    for tried in range(1, TRIES_MAX + 1):
        try:
            async with connection.transaction():
                return await _once(connection, asked, work)
        except (asyncpg.DeadlockDetectedError, asyncpg.SerializationError):
            if tried == TRIES_MAX:
                raise
            await asyncio.sleep(BACKOFF_S * tried * random.uniform(0.5, 1.5))
    raise AssertionError("unreachable: the last try returns or raises")


async def recall(connection: Connection, asked: Asked) -> Answer | None:
    """The answer to this request, if it was answered before. Raises `IdempotencyKeyReused`."""
    name = (asked.key_prefix, asked.idempotency_key)
    known = await connection.fetchrow(queries("commands")["find"], *name)
    if known is None:
        return None
    if known["request_digest"] != asked.digest:
        raise IdempotencyKeyReused
    return known["answer"]


async def _once(
    connection: Connection, asked: Asked, work: Callable[[Connection], Awaitable[Answer]]
) -> Answer:
    name = (asked.key_prefix, asked.idempotency_key)
    await connection.execute(queries("commands")["join_writers"])
    if not await connection.fetchval(queries("commands")["begin"], *name, asked.digest):
        known = await recall(connection, asked)
        if known is None:
            raise RequestInFlight
        return known
    answer = await work(connection)
    await connection.execute(queries("commands")["answer"], *name, answer)
    return answer


def _record(decision: Decision, at: datetime) -> Record:
    body = decisions.cloud_event(decision, decision.event_id or str(uuid.uuid4()), at)
    traceparent = tracing.current.get()
    headers = ((telling.TRACEPARENT, traceparent.encode()),) if traceparent else ()
    return Record(TOPIC, 0, 0, at, None, headers, body, events.decode(body))


def _event(decision: Decision) -> Event:
    return events.decode(decisions.cloud_event(decision, "asked", EPOCH))
