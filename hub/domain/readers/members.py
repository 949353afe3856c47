"""Members: an event is about one account, or about a pair of them."""

from hub.domain import ids, members, payloads
from hub.domain.envelope import BadEvent
from hub.domain.readers.base import Read, Reader


def _member(channel: str, shop: str, payload: payloads.members.Member) -> Read:
    profile = ids.profile_id(channel, payload.account)
    return "profile", payload.account, profile, members.read_member(payload)


def _consent(channel: str, shop: str, payload: payloads.members.ConsentChange) -> Read:
    profile = ids.profile_id(channel, payload.account)
    return "profile", payload.account, profile, members.read_consent(payload)


def _erasure(channel: str, shop: str, payload: payloads.members.Erasure) -> Read:
    profile = ids.profile_id(channel, payload.account)
    return "profile", payload.account, profile, members.read_erasure(payload)


def _tier(channel: str, shop: str, payload: payloads.members.TierReported) -> Read:
    profile = ids.profile_id(channel, payload.account)
    return "profile", payload.account, profile, members.read_tier(payload)


def _ruling(channel: str, shop: str, payload: payloads.members.Ruling) -> Read:
    said = members.read_ruling(channel, payload)
    if said.left == said.right:
        raise BadEvent("pair_of_one", "an account is one person with itself", "$.data.other")
    return "pair", payload.account, members.pair_key(said.left, said.right), said


def _growth(channel: str, shop: str, payload: payloads.members.GrowthEarned) -> Read:
    return "growth", payload.account, ids.profile_id(channel, payload.account), payload


READERS: dict[str, Reader] = {
    "member.registered": _member,
    "member.updated": _member,
    "member.identified": _member,
    "member.consent_changed": _consent,
    "member.merged": _ruling,
    "member.split": _ruling,
    "member.erased": _erasure,
    "member.growth_earned": _growth,
    "member.tier_reported": _tier,
}
DECIDED = frozenset({"member.merged", "member.split", "member.erased"})
