"""What events of tiers carry: all of them are decided by the hub."""

from hub.domain.payloads.base import Id, Payload, Time


class TierReviewed(Payload):
    """tier.reviewed: an account's levels in a scheme are told until `through`; what time alone
    changes until then counts."""

    profile_id: Id
    scheme: Id
    through: Time


class TierGift(Payload):
    """tier.gift_issued and gift_recalled: the coupon for reaching a level at a time."""

    profile_id: Id
    scheme: Id
    level: Id
    reached_at: Time
    code: Id
    valid_until: Time | None = None


TYPES: dict[str, type[Payload]] = {
    "tier.reviewed": TierReviewed,
    "tier.gift_issued": TierGift,
    "tier.gift_recalled": TierGift,
}
