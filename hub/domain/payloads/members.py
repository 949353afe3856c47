"""What events of members carry. Identifiers and names are personal."""

from typing import Annotated, Literal

from msgspec import Meta

from hub.domain.payloads.base import (
    IDENTIFIERS_MAX,
    Attributes,
    Id,
    Name,
    Payload,
    PersonalId,
    PersonalName,
    Time,
)


class Identifier(Payload):
    """`app`: of an openid. `platform`: the open platform of a unionid, where a channel has apps of
    several; a person has another unionid in each."""

    type: Literal["phone", "email", "openid", "unionid", "crm_id", "card"]
    value: PersonalId
    proof: Literal["verified", "declared"] = "declared"
    app: Id | None = None
    platform: Id | None = None


class Member(Payload):
    """member.registered, updated and identified."""

    account: Id
    identifiers: Annotated[list[Identifier], Meta(max_length=IDENTIFIERS_MAX)] = []
    name: PersonalName | None = None
    gender: PersonalName | None = None
    birthday: PersonalName | None = None
    attributes: Attributes = {}


class ConsentChange(Payload):
    """member.consent_changed: whether the person may be told things for a purpose by a medium."""

    account: Id
    purpose: Id
    medium: Literal["sms", "email", "phone", "post", "push", "wechat"]
    granted: bool


class Erasure(Payload):
    """member.erased: the person of this account is forgotten, with all that happened until then."""

    account: Id
    until: Time | None = None
    reason: Name | None = None


class Account(Payload):
    channel: Id
    account: Id


class Ruling(Payload):
    """member.merged and member.split: what somebody says of two accounts, one person or two."""

    account: Id
    other: Account
    reason: Name | None = None


class GrowthEarned(Payload):
    """member.growth_earned: growth for what is no sale, such as a review; below 0 takes it back."""

    account: Id
    growth: Annotated[int, Meta(ge=-(10**12), le=10**12)]
    reason: Name | None = None


class TierReported(Payload):
    """member.tier_reported: the level an account has at a channel whose platform decides on tiers,
    as the platform calls it; none if it has none any more."""

    account: Id
    level: Id | None = None
    valid_until: Time | None = None


TYPES: dict[str, type[Payload]] = {
    "member.registered": Member,
    "member.updated": Member,
    "member.identified": Member,
    "member.consent_changed": ConsentChange,
    "member.merged": Ruling,
    "member.split": Ruling,
    "member.erased": Erasure,
    "member.growth_earned": GrowthEarned,
    "member.tier_reported": TierReported,
}
