"""What events of cases and approvals carry. `by` names who did it, as the hub knows them."""

from typing import Annotated, Any, Literal

from msgspec import Meta

from hub.domain.payloads.base import Id, Name, Payload, Time

DECISIONS_MAX = 50


class CaseStep(Payload):
    case_id: Id
    by: Id
    reason: Name


class CaseOpened(CaseStep):
    """case.opened, by a person who saw something the hub cannot see; about which object."""

    object_kind: Id
    object_key: Id


class CaseAssigned(CaseStep):
    """case.assigned: whose it is from now on, until when, and how pressing."""

    assignee: Id | None = None
    due_at: Time | None = None
    priority: Literal["low", "normal", "high"] = "normal"


class CaseNoted(CaseStep):
    """case.noted: something worth knowing; it solves nothing."""


class CaseSettled(CaseStep):
    """case.settled: what was done about what was `known`; the case opens again if that changes."""

    action: Id
    known: dict[str, Any]


class DecisionWanted(Payload):
    """A decision that waits for a second person, as it will be made. `event_id` and `hops`: of one
    that a rule asked for."""

    type: Id
    channel: str
    shop: str
    subject: str
    data: dict[str, Any]
    event_id: Annotated[str, Meta(max_length=128)] = ""
    hops: Annotated[int, Meta(ge=0, le=1_000)] = 0


class ApprovalAsked(Payload):
    """approval.asked: these decisions are above what one person may decide."""

    approval_id: Id
    ledger: Id
    amount: Annotated[int, Meta(ge=0, le=10**15)]
    decisions: Annotated[list[DecisionWanted], Meta(min_length=1, max_length=DECISIONS_MAX)]
    by: Id
    reason: Name


class ApprovalEnded(Payload):
    """approval.granted and declined, by a second person."""

    approval_id: Id
    by: Id
    reason: Name | None = None


TYPES: dict[str, type[Payload]] = {
    "case.opened": CaseOpened,
    "case.assigned": CaseAssigned,
    "case.noted": CaseNoted,
    "case.settled": CaseSettled,
    "approval.asked": ApprovalAsked,
    "approval.granted": ApprovalEnded,
    "approval.declined": ApprovalEnded,
}
