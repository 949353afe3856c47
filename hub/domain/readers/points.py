"""Points: an event is about an account, or about what was spent on an order."""

from collections.abc import Callable
from typing import Any

from hub.domain import ids, payloads, spends
from hub.domain.envelope import BadEvent, utc
from hub.domain.readers.base import Read, Reader


def _positive_points(channel: str, shop: str, payload: payloads.points.Points) -> Read:
    if payload.points < 0:
        raise BadEvent("negative_points", f"{payload.points} is below 0", "$.data.points")
    return _points(channel, shop, payload)


def _points(channel: str, shop: str, payload: payloads.points.Points) -> Read:
    return "points", payload.account, ids.profile_id(channel, payload.account), payload


def _redeemed_points(channel: str, shop: str, payload: payloads.points.Points) -> Read:
    """Points redeemed on an order belong with what the hub decided of the same order."""
    if payload.points < 0:
        raise BadEvent("negative_points", f"{payload.points} is below 0", "$.data.points")
    if payload.order_number is None:
        return _points(channel, shop, payload)
    return _spend(lambda said: said)(channel, shop, payload)


def _spend(read: Callable[[Any], Any]) -> Reader:
    def reader(channel: str, shop: str, payload: Any) -> Read:
        number = payload.order_number
        return "spend", number, ids.spend_id(channel, shop, number), read(payload)

    return reader


def _points_closed(channel: str, shop: str, payload: payloads.points.PointsClosed) -> Read:
    profile = spends.read_profile(payload.profile_id)
    return "points", payload.profile_id, profile, utc(payload.through, "$.data.through")


READERS: dict[str, Reader] = {
    "points.earned": _positive_points,
    "points.redeemed": _redeemed_points,
    "points.adjusted": _points,
    "points.returned": _spend(lambda payload: payload),
    "points.spent": _spend(spends.read_taking),
    "points.closed": _points_closed,
    "hold.placed": _spend(spends.read_taking),
    "hold.captured": _spend(lambda payload: payload),
    "hold.voided": _spend(lambda payload: payload),
    "hold.expired": _spend(lambda payload: payload),
}
DECIDED = frozenset(name for name in READERS if name.startswith("hold.")) | {
    "points.spent",
    "points.closed",
}
