"""Tiers: an event is about the levels of one account."""

from hub.domain import ids, payloads, spends
from hub.domain.readers.base import Read, Reader


def _tier(
    channel: str, shop: str, payload: payloads.tiers.TierReviewed | payloads.tiers.TierGift
) -> Read:
    profile = spends.read_profile(payload.profile_id)
    return "tier", payload.profile_id, ids.derived("tier", profile), payload


READERS: dict[str, Reader] = {
    "tier.reviewed": _tier,
    "tier.gift_issued": _tier,
    "tier.gift_recalled": _tier,
}
DECIDED = frozenset(READERS)
