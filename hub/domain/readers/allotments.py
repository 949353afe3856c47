"""Allotments: named by channel, live session, item and place; sessions by channel and name."""

from typing import Any

from hub.domain import allotments, ids
from hub.domain.readers.base import Read, Reader


def _set(channel: str, shop: str, payload: Any) -> Read:
    wanted = allotments.read_set(payload)
    return "allotment", payload.sku, wanted.at.key, wanted


def _confirmed(channel: str, shop: str, payload: Any) -> Read:
    confirmed = allotments.read_confirmed(channel, payload)
    return "allotment", payload.sku, confirmed.at.key, confirmed


def _session(channel: str, shop: str, payload: Any) -> Read:
    return "session", payload.session, ids.session_id(channel, payload.session), None


READERS: dict[str, Reader] = {
    "allotment.set": _set,
    "allotment.confirmed": _confirmed,
    "session.opened": _session,
    "session.closed": _session,
}
DECIDED = frozenset({"allotment.set"})
