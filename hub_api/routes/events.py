"""Events in, and what became of them."""

from datetime import UTC, datetime
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Depends, Path, Query, Request
from pydantic import BaseModel, ConfigDict, Field

from hub.domain import events, ids, topics, tracing
from hub.store import journeys, subscriptions
from hub.store.journeys import Journey
from hub.store.keys import ApiKey
from hub.store.reads import events as reads
from hub.store.reads import orders
from hub_api import envelope_schema, intake
from hub_api.bodies import read_body
from hub_api.kafka import Position, Record
from hub_api.keyring import Needs, channel_of
from hub_api.limits import CURSOR_LENGTH_MAX, EVENT_ID_LENGTH_MAX
from hub_api.problems import Fault, Problem
from hub_api.resources import Held, Resources
from hub_api.signing import Signer

router = APIRouter(prefix="/v1/channels/{channel}/events", tags=["events"])
Poster = Annotated[ApiKey, Depends(Needs("events:write"))]
Channel = Annotated[str, Path(pattern=r"^[a-z0-9][a-z0-9_-]{0,63}$")]
SOURCE = "/channels/{channel}/shops/{shop}"


class AcceptedEvent(BaseModel):
    """One event that Kafka has."""

    id: str
    status_url: str = Field(description="What became of it; keep it as it is")


class Accepted(BaseModel):
    """Kafka has all events of the post."""

    accepted: int
    events: list[AcceptedEvent]


class DeadLetter(BaseModel):
    """A record with this event's source and id that could not be taken."""

    received_at: datetime
    reason: str
    field: str | None
    state: str = Field(description="open, redriven or dismissed")


class Sent(BaseModel):
    """One attempt to tell a subscriber."""

    at: datetime
    status: int | None
    error: str | None
    duration_ms: float


class Telling(BaseModel):
    """A subscriber of the key's channel who is told of it."""

    delivery_id: str
    subscription_id: str
    type: str
    state: str
    noted_at: datetime = Field(description="When it was known that it is told")
    attempts: list[Sent]


class Way(BaseModel):
    """The event's way over all hops, with the time of each."""

    trace_id: str | None
    kafka_at: datetime = Field(description="When its record was made")
    stored_at: datetime = Field(description="When the write that took it began")
    told: list[Telling]


class Fate(BaseModel):
    """What became of an event. An applied one has dead letters if its id was used again."""

    id: str
    source: str | None = None
    state: str = Field(description="pending, applied, ignored, parked or dead_letter")
    reason: Annotated[str | None, Field(description="Why it was ignored")] = None
    waits_for: Annotated[str | None, Field(description="What a parked event waits for")] = None
    received_at: Annotated[datetime | None, Field(description="When the hub stored it")] = None
    dead_letters: list[DeadLetter] = []
    way: Way | None = None


class Whereabouts(BaseModel):
    """Where to look for an event; its `status_url` has both."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    shop: Annotated[str | None, Field(max_length=64)] = None
    receipt: Annotated[str | None, Field(max_length=CURSOR_LENGTH_MAX)] = None


@router.post("", status_code=202, openapi_extra=envelope_schema.REQUEST_BODY)
async def post_events(request: Request, channel: Channel, key: Poster, held: Held) -> Accepted:
    """Post one event or a batch: all are taken, or none.

    202 means that Kafka has all of them. After any other answer, or none, the same batch can be
    sent again safely: an event counts once, however often it arrives.
    """
    channel_of(key, channel)
    try:
        return await _post(request, channel, held)
    except Problem as problem:
        held.figures.refused.labels(problem.code).inc()
        raise


@router.get("/{event_id:path}")
async def get_event(
    channel: Channel,
    event_id: Annotated[str, Path(min_length=1, max_length=EVENT_ID_LENGTH_MAX)],
    key: Poster,
    held: Held,
    where: Annotated[Whereabouts, Query()],
) -> Fate:
    """What became of an event; with its `receipt`, one still on its way is told as pending."""
    channel_of(key, channel)
    shops = [where.shop] if where.shop else await _shops(held, channel)
    sources = [SOURCE.format(channel=channel, shop=shop) for shop in shops]
    position = _position(held.signer, sources, event_id, where.receipt)

    async def read(reader: Any) -> Fate | None:
        # The offset first: an event stored in between is then found, not called unknown.
        is_pending = position is not None and position.offset >= await reads.next_offset(
            reader, position.topic, position.partition
        )
        found = await _fate(reader, sources, event_id)
        if found is None and is_pending:
            return Fate(id=event_id, source=sources[0], state="pending")
        return found

    fate = await held.database.read(read)
    if fate is None:
        raise Problem("event-unknown", headers={"Retry-After": "1"})
    if fate.source is not None:
        fate.way = await _way(held, key, ids.event_key(fate.source, event_id))
    return fate


async def _way(held: Resources, key: ApiKey, event_key: ids.Key) -> Way | None:
    owned = await held.database.write(lambda c: subscriptions.listed(c, key.channel))
    owners = [row["subscription_id"] for row in owned]
    found = await held.database.read(lambda c: journeys.of(c, [event_key], owners))
    return _shown(found[0]) if found else None


def _shown(way: Journey) -> Way:
    told = [
        Telling(
            delivery_id=ids.text(one.delivery_id),
            subscription_id=ids.text(one.subscription_id),
            type=one.type,
            state=one.state,
            noted_at=one.noted_at,
            attempts=[
                Sent(at=sent.at, status=sent.status, error=sent.error, duration_ms=sent.duration_ms)
                for sent in one.attempts
            ],
        )
        for one in way.told
    ]
    return Way(
        trace_id=tracing.trace_id(way.traceparent),
        kafka_at=way.kafka_at,
        stored_at=way.stored_at,
        told=told,
    )


async def _post(request: Request, channel: str, held: Resources) -> Accepted:
    async with held.gate.place():
        post = intake.Post(request.headers.items(), await read_body(request), datetime.now(UTC))
        taken = intake.take(post, channel)
        records = [
            Record(topics.topic_of(one.event.type), events.partition_key(one.event), one.body)
            for one in taken
        ]
        positions = await held.send(records)
    for record in records:
        held.figures.accepted.labels(record.topic).inc()
    listed = [
        AcceptedEvent(id=one.event.id, status_url=_status_url(held.signer, one, position))
        for one, position in zip(taken, positions, strict=True)
    ]
    return Accepted(accepted=len(listed), events=listed)


async def _shops(held: Resources, channel: str) -> list[str]:
    return await held.database.read(lambda reader: orders.shops(reader, channel))


async def _fate(reader: Any, sources: list[str], event_id: str) -> Fate | None:
    by_key = {ids.event_key(source, event_id): source for source in sources}
    letters = [
        DeadLetter.model_validate(row)
        for row in await reads.dead_letters_of(reader, sources, event_id)
    ]
    outcomes = await reads.outcomes(reader, list(by_key))
    if len(outcomes) > 1:
        reason = "several shops of the channel have an event of this id: name one"
        raise Problem("invalid", [Fault("shop", reason)])
    for found in outcomes:
        return Fate(
            id=event_id,
            source=by_key[found["event_key"]],
            state=found["outcome"],
            reason=found["reason"],
            waits_for=found["waits_for"],
            received_at=found["received_at"],
            dead_letters=letters,
        )
    if not letters:
        return None
    return Fate(id=event_id, state="dead_letter", dead_letters=letters)


def _status_url(signer: Signer, one: intake.Taken, position: Position) -> str:
    """Where to ask for this event; the receipt says where it stands in Kafka."""
    event = one.event
    receipt = signer.seal(_receipt_of(event.source, event.id), position)
    place = f"/v1/channels/{event.channel}/events/{quote(event.id, safe='')}"
    return f"{place}?shop={event.shop}&receipt={receipt}"


def _position(
    signer: Signer, sources: list[str], event_id: str, receipt: str | None
) -> Position | None:
    if receipt is None:
        return None
    position = None
    if len(sources) == 1:
        position = signer.open(_receipt_of(sources[0], event_id), receipt, Position)
    if position is None:
        raise Problem("bad-cursor", [Fault("receipt", "it was not given out for this event")])
    return position


def _receipt_of(source: str, event_id: str) -> str:
    return f"receipt {ids.text(ids.event_key(source, event_id))}"
