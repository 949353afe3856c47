"""Segments: an event is about one account in them."""

from hub.domain import ids, payloads
from hub.domain.readers.base import Read, Reader


def _member(channel: str, shop: str, payload: payloads.segments.MemberDue) -> Read:
    profile = ids.profile_id(channel, payload.account)
    return "segment", payload.account, ids.derived("segment", profile), payload


READERS: dict[str, Reader] = {"segment.member_due": _member}
DECIDED = frozenset(READERS)
