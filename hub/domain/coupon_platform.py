"""Steps of a coupon's fold that tell of calls to its platform. Pure.

A verification is told from its calls in the order they were sent, each with its answer, or as not
answered while there is none. What is verified is a use like any other, so a report of the platform
with the same id is the same use. Which call may be made is in `hub.domain.coupon_verification`.
"""

from collections.abc import Iterable
from datetime import datetime

from msgspec.structs import replace

from hub.domain.coupon_data import PlatformCall
from hub.domain.coupon_state import CouponState, UseKey, use_key
from hub.domain.coupon_verification import (
    Answer,
    NotNow,
    Verification,
    Verified,
    answered,
    may_call,
)
from hub.domain.envelope import APPLIED, Event, Verdict, ignored, parked

CALLED, ANSWERED = "coupon.verification_called", "coupon.verification_answered"


def answers(events: Iterable[Event]) -> dict[str, Answer]:
    """The answer of each call that has one, the first of several."""
    told = sorted(
        (event for event in events if event.type == ANSWERED),
        key=lambda event: (event.occurred_at, event.key),
    )
    return {event.data.call_id: event.data.answer for event in reversed(told)}


def called(state: CouponState, event: Event) -> Verdict:
    """Tell a call with what became of it."""
    if state.issue is None:
        return parked("coupon.issued")
    call: PlatformCall = event.data
    key = use_key(event)
    now, at = _now(state, key), event.occurred_at
    answer = state.answers.get(call.call_id)
    try:
        then = answered(now, call.call, answer or "timed_out", at)
    except NotNow as not_now:
        return ignored(str(not_now))
    told = Verified(then, call.call_id, at, is_answered=answer is not None)
    state.verifications = state.verifications | {key: told}
    return APPLIED


def answer(state: CouponState, event: Event) -> Verdict:
    """The answer was told with its call."""
    return APPLIED if use_key(event) in state.verifications else parked(CALLED)


def verified_at(state: CouponState, key: UseKey) -> datetime | None:
    """Since when a use stands at the platform, if it is known to."""
    now = _now(state, key)
    return now.verified_at if now.state in ("verified", "cancelling") else None


def is_cancelled(state: CouponState, key: UseKey) -> bool:
    """Whether the use was undone at the platform."""
    return _now(state, key).state == "cancelled"


def refuse_call(state: CouponState, event: Event) -> tuple[str, str] | None:
    """Why the hub may not make this call now, as (code, reason)."""
    issue = state.issue
    if issue is not None and issue.kind != "platform":
        return "not_the_platforms", "the hub itself decides on this coupon"
    known = state.verifications.get(use_key(event))
    if known is not None and known.is_in_flight(event.occurred_at):
        return "verification_in_flight", "the call before may yet be answered"
    if not may_call(_now(state, use_key(event)), event.data.call, event.occurred_at):
        return "verification_not_now", "the platform has to be asked first, or it is over"
    return None


def _now(state: CouponState, key: UseKey) -> Verification:
    if key in state.verifications:
        return state.verifications[key].verification
    within = state.issue.undo_within if state.issue is not None else None
    return replace(Verification(), cancel_within=within) if within is not None else Verification()
