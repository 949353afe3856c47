"""`hub trace EVENT_ID`: the way of one event over all hops, with the time of each."""

from datetime import datetime
from typing import Annotated, Any

import typer

from hub.cli.connected import with_hub
from hub.cli.screen import Json, errors_in_words, put_json, say
from hub.domain import decisions, ids, tracing
from hub.errors import HubError
from hub.store import db, journeys
from hub.store.journeys import Journey
from hub.store.reads import orders

CHANNELS = "select distinct channel from shops order by channel"


class EventUnknown(HubError):
    """The hub has no event of this id."""


def run(
    event_id: Annotated[str, typer.Argument(help="The event's id.")],
    channel: Annotated[str | None, typer.Option(help="Of this channel only.")] = None,
    as_json: Json = False,
) -> None:
    """Show when an event was in Kafka, when the hub took it, and when who was told of it."""
    with errors_in_words(as_json):
        found = with_hub(lambda connection: _found(connection, event_id, channel), "reader")
        if not found:
            raise EventUnknown(event_id, mend="name its id as the channel sent it")
    if as_json:
        put_json([_plain(one) for one in found])
        return
    for one in found:
        _show(one)


async def _found(connection: db.Connection, event_id: str, channel: str | None) -> list[Journey]:
    known = [channel] if channel else [row["channel"] for row in await connection.fetch(CHANNELS)]
    sources = [decisions.SOURCE]
    for name in known:
        shops = await orders.shops(connection, name)
        sources += [f"/channels/{name}/shops/{shop}" for shop in shops]
    keys = [ids.event_key(source, event_id) for source in sources]
    return await journeys.of(connection, keys, None)


def _show(one: Journey) -> None:
    say(f"{one.type}  {one.event_id}  {one.source}")
    say(f"trace {tracing.trace_id(one.traceparent) or 'unknown'}")
    before = one.kafka_at
    if one.topic != "hub":
        say(_line(one.kafka_at, None, f"Kafka has it: {one.topic}/{one.partition} {one.offset}"))
    say(_line(one.stored_at, before, f"the hub takes it: {one.outcome}"))
    for told in one.told:
        who = f"{told.type} for subscription {ids.text(told.subscription_id)}"
        say(_line(told.noted_at, one.stored_at, f"noted: {who}, {told.state}"))
        for sent in told.attempts:
            came = f"answered {sent.status}" if sent.status else f"not answered: {sent.error}"
            words = f"sent, {came} after {sent.duration_ms:.1f} ms"
            say(_line(sent.at, told.noted_at, words))


def _line(at: datetime, before: datetime | None, words: str) -> str:
    since = f"+{(at - before).total_seconds() * 1000:.1f} ms" if before else ""
    return f"  {at:%Y-%m-%d %H:%M:%S.%f}  {since:>12}  {words}"


def _plain(one: Journey) -> dict[str, Any]:
    return {
        "event_id": one.event_id,
        "source": one.source,
        "type": one.type,
        "trace_id": tracing.trace_id(one.traceparent),
        "outcome": one.outcome,
        "kafka_at": one.kafka_at.isoformat(),
        "stored_at": one.stored_at.isoformat(),
        "told": [
            {
                "delivery_id": ids.text(told.delivery_id),
                "subscription_id": ids.text(told.subscription_id),
                "type": told.type,
                "state": told.state,
                "noted_at": told.noted_at.isoformat(),
                "attempts": [
                    {
                        "at": sent.at.isoformat(),
                        "status": sent.status,
                        "error": sent.error,
                        "duration_ms": sent.duration_ms,
                    }
                    for sent in told.attempts
                ],
            }
            for told in one.told
        ],
    }
