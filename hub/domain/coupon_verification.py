"""How a platform's voucher is verified at the platform: prepare, verify, cancel within its time.
Pure: the calls are made by others, this says which one may be made next.

A verification that was not answered may have been done. So it is asked about first, never sent a
second time: only the platform's word that nothing was verified opens the way back.
"""

from datetime import datetime, timedelta
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

ANSWER_WITHIN = timedelta(seconds=60)
"""Who calls a platform gives up long before; whoever asks what became of a call waits this long."""
Call = Literal["prepare", "verify", "query", "cancel"]
Answer = Literal["done", "refused", "timed_out"]
State = Literal["new", "prepared", "unknown", "verified", "cancelling", "cancelled", "refused"]


class Verification(Struct, frozen=True):
    """One voucher's use at its platform. unknown and cancelling: a call was not answered."""

    state: State = "new"
    cancel_within: timedelta = timedelta(hours=1)
    verified_at: datetime | None = None


class Verified(Struct, frozen=True):
    """A verification and its last call: when that was sent, and whether it is known to be over."""

    verification: Verification
    call_id: str
    called_at: datetime
    is_answered: bool

    def is_in_flight(self, at: datetime) -> bool:
        """Whether its last call may yet be answered: a query beside it would ask too early."""
        return not self.is_answered and at - self.called_at < ANSWER_WITHIN


class NotNow(ValueError):
    """This call may not be made in this state."""


_CALLS: dict[State, tuple[Call, ...]] = {
    "new": ("prepare",),
    "prepared": ("verify", "prepare"),
    "unknown": ("query",),
    "verified": ("cancel", "query"),
    "cancelling": ("query",),
    "cancelled": (),
    "refused": (),
}


def may_call(now: Verification, call: Call, at: datetime) -> bool:
    """Whether the call may be made."""
    if call == "cancel" and now.verified_at is not None:
        return now.state == "verified" and at - now.verified_at <= now.cancel_within
    return call in _CALLS[now.state]


def next_call(now: Verification, wanted: Literal["verified", "cancelled"]) -> Call | None:
    """The call that leads to what is wanted; None where it is reached, or out of reach."""
    if now.state in ("unknown", "cancelling"):
        return "query"
    if wanted == "cancelled":
        return "cancel" if now.state == "verified" else None
    forward: dict[State, Call] = {"new": "prepare", "prepared": "verify"}
    return forward.get(now.state)


def answered(now: Verification, call: Call, answer: Answer, at: datetime) -> Verification:
    """The state after a call was answered, or was not in time. at: when it was sent.

    A query is done where the voucher is verified at the platform, refused where it is not.
    """
    if not may_call(now, call, at):
        raise NotNow(f"{call} is not possible while it is {now.state}")
    if call == "query":
        return _asked(now, answer, at)
    if answer == "timed_out":
        waiting: dict[Call, State] = {"verify": "unknown", "cancel": "cancelling"}
        return replace(now, state=waiting.get(call, now.state), verified_at=_since(now, call, at))
    if call == "prepare":
        return replace(now, state="prepared" if answer == "done" else "refused")
    if call == "verify":
        if answer == "done":
            return replace(now, state="verified", verified_at=at)
        return replace(now, state="refused")
    return replace(now, state="cancelled" if answer == "done" else "verified")


def _since(now: Verification, call: Call, at: datetime) -> datetime | None:
    """The platform's hour runs from when the unanswered call was sent: the safe side."""
    return at if call == "verify" else now.verified_at


def _asked(now: Verification, answer: Answer, at: datetime) -> Verification:
    if answer == "timed_out":
        return now
    if answer == "done":
        return replace(now, state="verified", verified_at=now.verified_at or at)
    # Nothing is verified there: it may be verified now, or the cancelling has worked.
    if now.state == "unknown":
        return replace(now, state="prepared", verified_at=None)
    return replace(now, state="cancelled")
