"""Streams of server-sent events: the newest stock, and what happens to orders, as it happens.

A reader that lost its connection comes with the id of the last event it has, and goes on behind it.
Not here: following the outbox (`hub_api.following`).
"""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Header, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import StreamingResponse

from hub.domain import telling
from hub.domain.payloads import BY_TYPE
from hub.store import outbox
from hub.store.db import queries
from hub.store.keys import ApiKey
from hub.store.outbox import Position, Told
from hub_api import following
from hub_api.following import FactReader, StockReader
from hub_api.keyring import Needs
from hub_api.limits import (
    STREAM_BYTES_MAX,
    STREAM_CHECK_S,
    STREAM_EVENTS_MAX,
    STREAM_HEARTBEAT_S,
    STREAM_PAGE,
    STREAM_POSITIONS_MAX,
    STREAM_RETRY_MS,
    STREAMS_MAX,
)
from hub_api.mailbox import Mailbox, StreamEvent
from hub_api.postgres import PostgresAwayError
from hub_api.problems import Fault, Problem
from hub_api.resources import Held, Resources

router = APIRouter(tags=["streams"])
StockReading = Annotated[ApiKey, Depends(Needs("stock:read"))]
OrderReading = Annotated[ApiKey, Depends(Needs("orders:read"))]
LastEventId = Annotated[
    str | None,
    Header(alias="Last-Event-ID", max_length=64, description="The id of the last event you have"),
]
FILTERS_MAX = 100
MEDIA_TYPE = "text/event-stream"
HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
HEARTBEAT = b": \n\n"
ANSWER: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "Server-sent events, until either side ends it",
        "content": {MEDIA_TYPE: {"schema": {"type": "string"}}},
    }
}
ORDER_NOUNS = frozenset({"order", "reservation", "refund", "return", "payment", "aftersale"})
ORDER_TYPES = sorted(name for name in BY_TYPE if name.partition(".")[0] in ORDER_NOUNS)
"""The events that orders are folded from."""


class StockQuery(BaseModel):
    """Of which items and places; all of them if none is named."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    sku: Annotated[list[str], Field(max_length=FILTERS_MAX)] = []
    place: Annotated[list[str], Field(max_length=FILTERS_MAX)] = []


class OrderQuery(BaseModel):
    """Of which orders; all of the key's channel if none is named."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    order_id: Annotated[list[UUID], Field(max_length=FILTERS_MAX)] = []


@router.get("/v1/stock/stream", responses=ANSWER, response_class=StreamingResponse)
async def stream_stock(
    request: Request,
    key: StockReading,
    held: Held,
    wanted: Annotated[StockQuery, Query()],
    last_event_id: LastEventId = None,
) -> StreamingResponse:
    """The stock of items and places, absolute, whenever it changes: event `stock.changed`.

    With `sku` it begins with what there is. A reader that is slow gets the newest alone.
    """
    since = _position(last_event_id)
    skus, places = frozenset(wanted.sku), frozenset(wanted.place)
    box = Mailbox(STREAM_POSITIONS_MAX, STREAM_BYTES_MAX)
    reader = StockReader(
        box,
        lambda sku, place: (not skus or sku in skus) and (not places or place in places),
    )

    async def missed(until: Position) -> AsyncIterator[list[StreamEvent]]:
        if since is None and not skus:
            return
        at = telling.position_text(until)
        after = ("", "")
        while True:
            rows = await held.database.read(
                lambda c, after=after: c.fetch(
                    queries("streams")["changed_since"],
                    since[0] if since else None,
                    *after,
                    wanted.sku or None,
                    wanted.place or None,
                    STREAM_PAGE,
                )
            )
            is_last = len(rows) < STREAM_PAGE
            # Only the last says where it stands: who breaks off before comes with the id it had.
            known = last_event_id or "0-0"
            yield [
                following.stock_event(row, at if is_last and row is rows[-1] else known)
                for row in rows
            ]
            if is_last:
                return
            after = (rows[-1]["sku"], rows[-1]["place"])

    return await _stream(request, held, key, reader, missed)


@router.get("/v1/orders/stream", responses=ANSWER, response_class=StreamingResponse)
async def stream_orders(
    request: Request,
    key: OrderReading,
    held: Held,
    wanted: Annotated[OrderQuery, Query()],
    last_event_id: LastEventId = None,
) -> StreamingResponse:
    """What happens to the orders of the key's channel, each fact once and in order for each order.

    The event's name is the type of the fact, its data the CloudEvent that a delivery has.
    """
    since = _position(last_event_id)
    orders = frozenset(one.bytes for one in wanted.order_id)

    def wants(fact: Told) -> bool:
        return (
            fact.entity_kind == "order"
            and "data" in fact.said
            and (key.channel is None or fact.channel == key.channel)
            and (not orders or fact.entity_key in orders)
            and (since is None or fact.position > since)
        )

    reader = FactReader(Mailbox(STREAM_EVENTS_MAX, STREAM_BYTES_MAX), wants)

    async def missed(until: Position) -> AsyncIterator[list[StreamEvent]]:
        after = since
        while after is not None and after < until:
            told, behind = await held.database.write(
                lambda c, after=after: outbox.told_after(
                    c, held.vault, after, STREAM_PAGE, ORDER_TYPES
                )
            )
            yield [
                following.fact_event(fact)
                for fact in told
                if wants(fact) and fact.position <= until
            ]
            after = behind

    return await _stream(request, held, key, reader, missed)


Missed = Callable[[Position], AsyncIterator[list[StreamEvent]]]


async def _stream(
    request: Request,
    held: Resources,
    key: ApiKey,
    reader: FactReader | StockReader,
    missed: Missed,
) -> StreamingResponse:
    """What was missed, then what happens. Ends with the key, and for a reader who is too slow."""
    if held.following.count >= STREAMS_MAX:
        raise Problem("busy", headers={"Retry-After": "5"})
    until = await held.following.join(reader)

    async def events() -> AsyncIterator[bytes]:
        async with _leaving(held, reader):
            yield f"retry: {STREAM_RETRY_MS}\n\n".encode()
            async for page in missed(until):
                yield b"".join(one.wire() for one in page) or HEARTBEAT
            silent_s = 0.0
            while not reader.box.is_overrun and await _may_go_on(request, held, key):
                taken = await reader.box.take(STREAM_CHECK_S)
                silent_s = 0.0 if taken else silent_s + STREAM_CHECK_S
                if taken:
                    yield b"".join(one.wire() for one in taken)
                elif silent_s >= STREAM_HEARTBEAT_S:
                    silent_s = 0.0
                    yield HEARTBEAT

    return StreamingResponse(events(), media_type=MEDIA_TYPE, headers=HEADERS)


@asynccontextmanager
async def _leaving(held: Resources, reader: FactReader | StockReader) -> AsyncIterator[None]:
    try:
        yield
    finally:
        await held.following.leave(reader)


async def _may_go_on(request: Request, held: Resources, key: ApiKey) -> bool:
    """Whether the key still holds; while Postgres is away, what was known of it counts."""
    try:
        now = await held.keyring.identify(request.headers.get("authorization", ""))
    except PostgresAwayError:
        return True
    except Problem:
        return False
    return now.scopes == key.scopes and now.channel == key.channel


def _position(last_event_id: str | None) -> Position | None:
    if not last_event_id:
        return None
    try:
        return telling.read_position(last_event_id)
    except ValueError:
        raise Problem("bad-request", [Fault("Last-Event-ID", "no id of an event here")]) from None
