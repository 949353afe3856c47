"""The event as the hub handles it, and why one can be bad. Reading it from bytes is in
`hub.domain.events`."""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from msgspec import Struct

from hub.domain.ids import Key


class BadEvent(ValueError):
    """An event that cannot be taken: its record becomes a dead letter with this reason.

    code: stable name of the reason, for filters; field: path such as `$.data.lines[0].sku`.
    """

    def __init__(self, code: str, reason: str, field: str | None = None) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason
        self.field = field


def utc(time: datetime, field: str) -> datetime:
    """The time in UTC. BadEvent for one of the first or last hours that UTC has no name for."""
    if time.tzinfo is UTC:
        return time
    try:
        return time.astimezone(UTC)
    except OverflowError:
        raise BadEvent("time_out_of_range", f"time {time} is no time in UTC", field) from None


class Event(Struct, gc=False, frozen=True):
    """One decoded event. `subject` is the entity's own name (order number, account, code, sku),
    `data` what the noun's module read from the payload."""

    key: Key
    source: str
    channel: str
    shop: str
    id: str
    type: str
    occurred_at: datetime
    sequence: int | None
    entity_kind: str
    entity_key: Key
    subject: str
    data: Any
    is_personal: bool = False


class Outcome(StrEnum):
    """What became of an event. A dead letter has none: it never was an event."""

    APPLIED = "applied"
    IGNORED = "ignored"
    PARKED = "parked"


class Verdict(Struct, gc=False, frozen=True):
    """What one event came to: why it was ignored, or what it is parked for."""

    outcome: Outcome
    reason: str | None = None
    waits_for: str | None = None


APPLIED = Verdict(Outcome.APPLIED)


def ignored(reason: str) -> Verdict:
    """The event says nothing new, or comes too late to matter; `reason` is shown to people."""
    return Verdict(Outcome.IGNORED, reason=reason)


def parked(waits_for: str) -> Verdict:
    """The event can only be applied once something else has arrived."""
    return Verdict(Outcome.PARKED, waits_for=waits_for)


EVENTS_MAX = 500
"""Events of one entity that are folded: no real order has so many, and folding is quadratic."""
TOO_MANY = ignored(f"the first {EVENTS_MAX} events of this order, coupon or account are folded")


def in_order(events: Iterable[Event], first: str, ranks: dict[str, int]) -> list[Event]:
    """The one order in which an entity's events are folded, whatever order they came in.

    By the channel's own sequence where each event has one, otherwise by time; equal ones by rank
    of type, then identity. The opening event (`first`) leads: a clock that runs ahead in one system
    must not make an order exist after it was paid.
    """
    listed = list(events)
    if len(listed) == 1:
        return listed
    if all(event.sequence is not None for event in listed):
        return sorted(
            listed,
            key=lambda e: (e.type != first, e.sequence, ranks.get(e.type, 99), e.key),
        )
    return sorted(
        listed, key=lambda e: (e.type != first, e.occurred_at, ranks.get(e.type, 99), e.key)
    )


def tell(ordered: Iterable[Event], step: Callable[[Event], Verdict]) -> dict[Key, Verdict]:
    """What each event comes to when they are told in this order.

    One that waits is told again after each that is applied: where the clocks of two systems differ,
    a refund can be older than its payment.
    """
    verdicts: dict[Key, Verdict] = {}
    waiting: list[Event] = []
    for event in ordered:
        verdicts[event.key] = verdict = step(event)
        if verdict.outcome is Outcome.PARKED:
            waiting.append(event)
        elif waiting and verdict.outcome is Outcome.APPLIED:
            waiting = _tell_again(waiting, step, verdicts)
    return verdicts


def _tell_again(
    waiting: list[Event], step: Callable[[Event], Verdict], verdicts: dict[Key, Verdict]
) -> list[Event]:
    """Tell those that wait until none of them is applied any more; who still waits."""
    is_changed = True
    while waiting and is_changed:
        is_changed = False
        told, waiting = waiting, []
        for event in told:
            verdicts[event.key] = verdict = step(event)
            if verdict.outcome is Outcome.PARKED:
                waiting.append(event)
            else:
                is_changed = True
    return waiting
