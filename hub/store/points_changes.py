"""What a write brings to accounts of points, by profile. Nothing here talks to Postgres."""

from collections import defaultdict
from datetime import datetime

from hub.domain.earning import Terms
from hub.domain.envelope import APPLIED, Event
from hub.domain.ids import Key, derived
from hub.domain.points import Entry
from hub.store.records import Granted, Work

CHANNEL_RULE = "channel"
"""Rule version of what a channel itself says it earned, spent or adjusted."""
_KINDS = {"points.earned": "earned", "points.redeemed": "spent", "points.adjusted": "adjusted"}


class Changes:
    """What a write brings to one account; cause is the last event that did."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self.terms: dict[Key, Terms] = {}
        self.closed_until: datetime | None = None
        self.cause: Key = b""


def collect(work: Work) -> dict[Key, Changes]:
    """What the write brings, by profile."""
    changes: dict[Key, Changes] = defaultdict(Changes)
    for event in work.of("points"):
        work.verdicts[event.key] = APPLIED
        if event.type == "points.closed":
            change = changes[event.entity_key]
            change.closed_until = max(event.data, change.closed_until or event.data)
            change.cause = event.key
        else:
            _note(work, event)
    for entry in work.points:
        changes[entry.profile_id].entries.append(entry)
        changes[entry.profile_id].cause = entry.event_key
    for lot_id, granted in work.lot_terms.items():
        changes[granted.profile_id].terms[lot_id] = granted.terms
        changes[granted.profile_id].cause = granted.event_key
    return changes


def _note(work: Work, event: Event) -> None:
    """What a channel says of an account, by its own rule."""
    kind, said, at = _KINDS[event.type], event.data, event.occurred_at
    entry_id = derived("points", event.key)
    is_spent = kind == "spent"
    work.points.append(
        Entry(
            entry_id,
            event.entity_key,
            kind,
            -said.points if is_spent else said.points,
            None if is_spent else entry_id,
            None,
            at,
            event.key,
            CHANNEL_RULE,
            use_id=entry_id if is_spent else None,
        )
    )
    if kind == "earned":
        opens_at = max(at, said.opens_at) if said.opens_at is not None else at
        terms = Terms(said.points, at, opens_at, said.expires_at, CHANNEL_RULE)
        work.lot_terms[entry_id] = Granted(event.entity_key, terms, event.key)
