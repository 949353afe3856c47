"""Approvals: decisions above a limit wait until a second person agrees. Pure.

The limits are configuration of kind `approvals`: a document for each ledger. Nothing is decided
here about what waits; once it is granted, it is decided like anything else.
"""

from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

from hub.domain.documents import Document, convert
from hub.domain.envelope import APPLIED, Event, Verdict, ignored, in_order, parked, tell
from hub.domain.ids import Key

RANKS = {"approval.asked": 0, "approval.granted": 1, "approval.declined": 1}
DEFAULT_LIMITS = {"points": 10_000}
"""Where nothing is configured: points by hand in one go. A ledger that is not here has no limit."""


class Limit(Struct, frozen=True, forbid_unknown_fields=True):
    """Up to `limit` one person decides: points, or minor units of money."""

    limit: Annotated[int, Meta(ge=0)]


class Approval(Struct):
    """What was asked, and how it ended."""

    ledger: str
    amount: int
    decisions: list[dict[str, Any]]
    reason: str
    asked_by: str
    asked_at: datetime
    status: Literal["asked", "granted", "declined"] = "asked"
    ended_by: str | None = None
    ended_reason: str | None = None
    ended_at: datetime | None = None


class Folded(Struct):
    """A fold's result: the approval, and what became of each event."""

    approval: Approval | None
    verdicts: dict[Key, Verdict]


def read(document: Document) -> Limit:
    """A limit from its document."""
    return convert(document, Limit)


def limit_of(ledger: str, configured: dict[str, Limit]) -> int | None:
    """Above how much a second person has to agree; None: never."""
    found = configured.get(ledger)
    return found.limit if found is not None else DEFAULT_LIMITS.get(ledger)


def fold(events: list[Event]) -> Folded:
    """Fold the events of one approval."""
    folded = Folded(None, {})

    def step(event: Event) -> Verdict:
        known = folded.approval
        if event.type == "approval.asked":
            if known is not None:
                return ignored("it was asked before")
            folded.approval = _asked(event)
            return APPLIED
        if known is None:
            return parked("approval.asked")
        return _end(known, event)

    folded.verdicts = tell(in_order(events, "approval.asked", RANKS), step)
    return folded


def _asked(event: Event) -> Approval:
    said = event.data
    decisions = [msgspec.to_builtins(one) for one in said.decisions]
    return Approval(said.ledger, said.amount, decisions, said.reason, said.by, event.occurred_at)


def _end(known: Approval, event: Event) -> Verdict:
    if known.status != "asked":
        return ignored(f"it was {known.status} before")
    is_granted = event.type == "approval.granted"
    if is_granted and event.data.by == known.asked_by:
        return ignored("a second person has to agree, not the one who asked")
    known.status = "granted" if is_granted else "declined"
    known.ended_by = event.data.by
    known.ended_reason = event.data.reason
    known.ended_at = event.occurred_at
    return APPLIED
