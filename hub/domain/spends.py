"""Spending points on one order: the fold of holds, spendings, confirmations and returns. Pure.

What the hub decided (`hold.*`, `points.spent`) and what the channel reports (`points.redeemed`) of
the same order are messages of one effect: the second confirms the first, or disagrees with it, and
then the hub's decision stands and a person has to look. Who has how many points is not here.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime

from msgspec import Struct
from msgspec.structs import replace

from hub.domain import ids, payloads
from hub.domain.envelope import APPLIED, BadEvent, Event, Verdict, ignored, in_order, parked, tell
from hub.domain.ids import Key, derived

RANKS = {
    "hold.placed": 0, "points.spent": 1, "hold.captured": 2, "points.redeemed": 3,
    "hold.voided": 4, "hold.expired": 5, "points.returned": 6,
}  # fmt: skip
_SAID = ("hold.captured", "points.spent")
DIRECT = ""
"""Stands for the hold of a spending that was never held: no hold can be called so."""

Shares = tuple[tuple[Key, int], ...]
"""(profile, points): whose points, in the order in which they are used."""


class Taking(Struct, frozen=True):
    """Points asked for on an order: held, or spent at once."""

    hold_id: str
    account: str
    points: int
    shares: Shares
    expires_at: datetime | None


class Hold(Struct, frozen=True):
    """What was taken, and what became of it: held, captured, voided or expired."""

    taking: Taking
    placed_at: datetime
    placed_by: Key
    status: str = "held"
    captured_points: int = 0
    ended_at: datetime | None = None
    ended_by: Key | None = None


class Claim(Struct, frozen=True):
    """What the channel reports as redeemed."""

    profile_id: Key
    points: int
    redeemed_at: datetime
    event_key: Key


class Return(Struct, frozen=True):
    """Points of the order that go back."""

    points: int
    returned_at: datetime
    event_key: Key


class SpendState(Struct):
    """All points spent on one order. refunded: what the order's refunds give back; returns: what is
    reported to have gone back, which is the same unless it is more; said: numbers of points that
    the hub itself said were spent, whenever it did."""

    holds: dict[str, Hold] = {}
    claim: Claim | None = None
    other_claim: Claim | None = None
    refunded: tuple[Return, ...] = ()
    returns: tuple[Return, ...] = ()
    said: frozenset[int] = frozenset()

    @property
    def decided_points(self) -> int:
        """What the hub decided to be spent."""
        return sum(hold.captured_points for hold in self.holds.values())

    @property
    def spent_points(self) -> int:
        """What was spent, before anything came back: by the hub's word, or by the channel's."""
        if self.decided_points or self.claim is None:
            return self.decided_points
        return self.claim.points

    @property
    def returned_points(self) -> int:
        # Where a decision replaced a larger report, no more goes back than was decided.
        return min(sum(one.points for one in self.told_returns), self.spent_points)

    @property
    def told_returns(self) -> list[Return]:
        """What goes back, in its time: by the refunds, and what is reported beyond them."""
        covered = sum(one.points for one in self.refunded)
        told = list(self.refunded)
        for one in self.returns:
            known = min(one.points, covered)
            covered -= known
            if one.points > known:
                told.append(replace(one, points=one.points - known))
        return sorted(told, key=lambda one: (one.returned_at, one.event_key))

    @property
    def held_points(self) -> int:
        return sum(h.taking.points for h in self.holds.values() if h.status == "held")

    @property
    def is_disputed(self) -> bool:
        """Whether hub and channel, or the channel and itself, name different amounts."""
        if self.claim is None:
            return False
        return self.other_claim is not None or self.claim.points != self.spent_points


class Folded(Struct):
    """A fold's result: state and what became of each event."""

    state: SpendState
    verdicts: dict[Key, Verdict]


def fold(events: list[Event], refunded: Sequence[Return] = ()) -> Folded:
    """Fold the events of one order's points. No events give an empty state.

    refunded: what the order's own refunds give back.
    """
    said = frozenset(event.data.points for event in events if event.type in _SAID)
    state = SpendState(holds={}, refunded=tuple(refunded), said=said)
    told = in_order(events, "", RANKS)
    return Folded(state, tell(told, lambda event: _STEPS[event.type](state, event)))


def _placed(state: SpendState, event: Event) -> Verdict:
    taking: Taking = event.data
    if taking.hold_id in state.holds:
        return ignored("this hold was placed already")
    if state.decided_points:
        return ignored("points were spent on this order before")
    state.holds[taking.hold_id] = Hold(taking, event.occurred_at, event.key)
    return APPLIED


def _spent(state: SpendState, event: Event) -> Verdict:
    if state.decided_points:
        return ignored("points were spent on this order before")
    taking: Taking = event.data
    hold = Hold(taking, event.occurred_at, event.key)
    state.holds[DIRECT] = _captured_at(hold, event, taking.points)
    return APPLIED


def _captured_at(hold: Hold, event: Event, points: int) -> Hold:
    return replace(
        hold,
        status="captured",
        captured_points=points,
        ended_at=event.occurred_at,
        ended_by=event.key,
    )


def _captured(state: SpendState, event: Event) -> Verdict:
    asked: payloads.points.HoldCaptured = event.data
    hold = state.holds.get(asked.hold_id)
    if hold is None:
        return parked("hold.placed")
    if hold.status == "captured" and hold.captured_points == asked.points:
        # The channel reported it first: one effect.
        is_first = state.claim is not None and hold.ended_by == state.claim.event_key
        return APPLIED if is_first else ignored("this hold was captured before")
    if refusal := _refusal(hold, event):
        return ignored(refusal)
    if asked.points > hold.taking.points:
        return ignored("more points are captured than were held")
    if state.decided_points:
        return ignored("points were spent on this order before")
    state.holds[asked.hold_id] = _captured_at(hold, event, asked.points)
    return APPLIED


def _refusal(hold: Hold, event: Event) -> str | None:
    """Why a hold can be neither captured nor voided any more."""
    if hold.status != "held":
        return f"this hold was {hold.status} before"
    return "this hold timed out before" if is_over(hold, event.occurred_at) else None


def refuse(state: SpendState, event: Event) -> str | None:
    """Why the hub would not decide this now, though it stands once it was decided."""
    if event.type not in ("hold.placed", "hold.captured") or state.claim is None:
        return None
    return None if state.decided_points else "points were spent on this order before"


def is_over(hold: Hold, at: datetime) -> bool:
    """Whether the hold has timed out at a time; at its very end it has."""
    return hold.taking.expires_at is not None and hold.taking.expires_at <= at


def _ended(state: SpendState, event: Event) -> Verdict:
    hold = state.holds.get(event.data.hold_id)
    if hold is None:
        return parked("hold.placed")
    status = event.type.removeprefix("hold.")
    if hold.status != "held":
        return ignored(f"this hold was {hold.status} before")
    if status == "expired" and not is_over(hold, event.occurred_at):
        return ignored("this hold has not timed out yet")
    state.holds[event.data.hold_id] = replace(
        hold, status=status, ended_at=event.occurred_at, ended_by=event.key
    )
    return APPLIED


def _redeemed(state: SpendState, event: Event) -> Verdict:
    profile = ids.profile_id(event.channel, event.data.account)
    claim = Claim(profile, event.data.points, event.occurred_at, event.key)
    if state.claim is not None:
        if claim.points == state.claim.points:
            return ignored("the points of this order were redeemed before")
        state.other_claim = state.other_claim or claim
        return ignored("another number of points was redeemed on this order before")
    state.claim = claim
    if state.said and claim.points not in state.said:
        # Told late: what the hub has said of the hold since stands.
        return APPLIED
    for hold_id, hold in state.holds.items():
        if not _refusal(hold, event) and hold.taking.points >= claim.points > 0:
            state.holds[hold_id] = _captured_at(hold, event, claim.points)
            break
    return APPLIED


def _returned(state: SpendState, event: Event) -> Verdict:
    points: int = event.data.points
    if sum(one.points for one in state.returns) + points > state.spent_points:
        return parked("points.redeemed")
    state.returns = (*state.returns, Return(points, event.occurred_at, event.key))
    return APPLIED


_STEPS: dict[str, Callable[[SpendState, Event], Verdict]] = {
    "hold.placed": _placed,
    "hold.captured": _captured,
    "hold.voided": _ended,
    "hold.expired": _ended,
    "points.spent": _spent,
    "points.redeemed": _redeemed,
    "points.returned": _returned,
}


def has_shares_of_others(channel: str, state: SpendState) -> bool:
    """Whether points of other accounts than the spender's were used."""
    return any(
        profile != ids.profile_id(channel, hold.taking.account)
        for hold in state.holds.values()
        for profile, _ in hold.taking.shares
    )


def of_payers(channel: str, state: SpendState, members: Mapping[Key, Key]) -> SpendState:
    """The state with each share at who bears it: its account while that is of the spender's member,
    otherwise the spender. So a spending goes to who made it when people are parted, and back when
    they are joined again. members: of the profiles that are known.
    """
    holds: dict[str, Hold] = {}
    for hold_id, hold in state.holds.items():
        spender = ids.profile_id(channel, hold.taking.account)
        member = members.get(spender, spender)
        shares = tuple(
            (profile if members.get(profile, profile) == member else spender, points)
            for profile, points in hold.taking.shares
        )
        holds[hold_id] = replace(hold, taking=replace(hold.taking, shares=shares))
    return replace(state, holds=holds)


class Movement(Struct, frozen=True):
    """What the order does to one profile's points: `points` moves the balance, `held` what is held;
    cause is the event it follows from."""

    cause: Key
    use_id: Key
    profile_id: Key
    kind: str
    points: int
    held_points: int
    occurred_at: datetime


def movements(spend_id: Key, state: SpendState) -> Iterator[Movement]:
    """All movements of points that the state amounts to."""
    spent: list[tuple[Key, Key, int]] = []
    for hold_id, hold in sorted(state.holds.items()):
        use_id = derived("use", spend_id, hold_id.encode())
        for movement in _of_hold(use_id, hold, hold_id == DIRECT):
            yield movement
            if movement.kind == "captured":
                spent.append((use_id, movement.profile_id, -movement.held_points))
            elif movement.kind == "spent":
                spent.append((use_id, movement.profile_id, -movement.points))
    claim = state.claim
    if claim is not None and not state.decided_points:
        use_id = derived("use", spend_id)
        yield Movement(
            claim.event_key, use_id, claim.profile_id, "spent", -claim.points, 0, claim.redeemed_at
        )
        spent.append((use_id, claim.profile_id, claim.points))
    yield from _of_returns(state.told_returns, spent)


def _of_hold(use_id: Key, hold: Hold, is_direct: bool) -> Iterator[Movement]:
    left = hold.captured_points
    for profile, points in hold.taking.shares:
        if is_direct:
            yield Movement(hold.placed_by, use_id, profile, "spent", -points, 0, hold.placed_at)
            continue
        yield Movement(hold.placed_by, use_id, profile, "held", -points, points, hold.placed_at)
        if hold.ended_at is None or hold.ended_by is None:
            continue
        captured = min(points, left)
        left -= captured
        at, by = hold.ended_at, hold.ended_by
        yield Movement(by, use_id, profile, "captured", 0, -captured, at)
        rest = points - captured
        yield Movement(by, use_id, profile, "released", rest, -rest, at)


def _of_returns(returns: Sequence[Return], spent: list[tuple[Key, Key, int]]) -> Iterator[Movement]:
    """Points go back to where the last of them were taken from."""
    for one in returns:
        points = one.points
        while points and spent:
            use_id, profile, taken = spent.pop()
            back = min(points, taken)
            points -= back
            if taken > back:
                spent.append((use_id, profile, taken - back))
            if back:
                yield Movement(one.event_key, use_id, profile, "returned", back, 0, one.returned_at)


def read_taking(payload: payloads.points.HoldPlaced | payloads.points.PointsSpent) -> Taking:
    """What the hub decided to take; the shares sum to its points."""
    shares = tuple((read_profile(share.profile_id), share.points) for share in payload.shares)
    if sum(points for _, points in shares) != payload.points:
        raise BadEvent("shares_differ", "the shares are not all points", "$.data.shares")
    if isinstance(payload, payloads.points.HoldPlaced):
        return Taking(payload.hold_id, payload.account, payload.points, shares, payload.expires_at)
    return Taking(DIRECT, payload.account, payload.points, shares, None)


def read_profile(text: str) -> Key:
    """The profile that an event names by its id."""
    try:
        return ids.parse(text)
    except ValueError:
        raise BadEvent("id_invalid", "profile_id is no id", "$.data") from None
