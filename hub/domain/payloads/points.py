"""What events of points carry: what channels report and what the hub decides."""

from typing import Annotated

from msgspec import Meta

from hub.domain.payloads.base import Id, Name, Payload, Time


class Points(Payload):
    account: Id
    points: Annotated[int, Meta(ge=-(10**12), le=10**12)]
    reason: Name | None = None
    order_number: Id | None = None


class PointsEarned(Points):
    """points.earned, by the channel's own rule; usable from `opens_at`, at once without it, and
    until `expires_at`."""

    opens_at: Time | None = None
    expires_at: Time | None = None


class PointsShare(Payload):
    """Points of one profile."""

    profile_id: Id
    points: Annotated[int, Meta(ge=0, le=10**12)]


Shares = Annotated[list[PointsShare], Meta(min_length=1, max_length=1_000)]
SomePoints = Annotated[int, Meta(ge=1, le=10**12)]


class PointsSpent(Payload):
    """points.spent: `shares` name whose points they were, in the order of their use."""

    account: Id
    order_number: Id
    points: SomePoints
    shares: Shares


class HoldPlaced(Payload):
    """hold.placed: points set aside for an order until `expires_at`."""

    hold_id: Id
    account: Id
    order_number: Id
    points: SomePoints
    shares: Shares
    expires_at: Time


class HoldCaptured(Payload):
    """hold.captured: so many of the held points are spent, the others are free again."""

    hold_id: Id
    order_number: Id
    points: SomePoints


class HoldEnded(Payload):
    """hold.voided and expired: the held points are free again."""

    hold_id: Id
    order_number: Id
    reason: Name | None = None


class PointsReturned(Payload):
    """points.returned: points spent on an order go back."""

    order_number: Id
    points: SomePoints
    reason: Name | None = None


class PointsClosed(Payload):
    """points.closed: the days of an account until `through` are over; what time opens and ends
    until then is entered."""

    profile_id: Id
    through: Time


TYPES: dict[str, type[Payload]] = {
    "points.spent": PointsSpent,
    "points.closed": PointsClosed,
    "hold.placed": HoldPlaced,
    "hold.captured": HoldCaptured,
    "hold.voided": HoldEnded,
    "hold.expired": HoldEnded,
    "points.earned": PointsEarned,
    "points.redeemed": Points,
    "points.adjusted": Points,
    "points.returned": PointsReturned,
}
