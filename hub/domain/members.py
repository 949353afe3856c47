"""Members: a profile is the fold of its own events, a pair of profiles that of what people ruled
about it. Pure.

Which profiles are one member follows from both: `hub.domain.matching`.
"""

from datetime import datetime

from msgspec import Struct

from hub.domain import ids, payloads
from hub.domain.envelope import APPLIED, Event, Verdict, ignored, in_order, utc
from hub.domain.identifiers import normalise
from hub.domain.ids import Key

RANKS = {
    "member.registered": 0,
    "member.updated": 1,
    "member.identified": 2,
    "member.consent_changed": 3,
    "member.tier_reported": 4,
    "member.erased": 5,
}
PAIR_RANKS = {"member.merged": 0, "member.split": 1}
ERASED = ignored("the person was erased after this")
_PERSONAL = ("name", "gender", "birthday")


class Claim(Struct, frozen=True):
    """An identifier that a profile showed; `value` is in its one spelling, `scope` the app of an
    openid or the open platform of a unionid: within what a person has one of them."""

    type: str
    value: str
    proof: str
    scope: str = ""


class ProfileData(Struct, frozen=True):
    """What a member event says. Values that identify nobody are left out."""

    account: str
    claims: tuple[Claim, ...]
    personal: dict[str, str]
    attributes: dict[str, str]


class ConsentData(Struct, frozen=True):
    """What a person allows: to be told things for a purpose by a medium."""

    account: str
    purpose: str
    medium: str
    is_granted: bool


class ErasureData(Struct, frozen=True):
    """Forget this account; `until` where a clock ran ahead of the hub's, otherwise until now."""

    account: str
    until: datetime | None = None


class TierData(Struct, frozen=True):
    """The level that the channel's platform says the account has."""

    account: str
    level: str | None
    valid_until: datetime | None


class RulingData(Struct, frozen=True):
    """Two accounts (channel, account), of which somebody said what they are to each other."""

    left: tuple[str, str]
    right: tuple[str, str]
    reason: str | None


class Held(Struct, frozen=True):
    """A claim as the profile holds it: its best proof, when that was first and last shown, and by
    which event first."""

    claim: Claim
    valid_from: datetime
    last_at: datetime
    event_key: Key


class Consent(Struct, frozen=True):
    """What was last said of one purpose and medium."""

    is_granted: bool
    changed_at: datetime
    event_key: Key


class PlatformTier(Struct, frozen=True):
    """What the platform last said of the account's level."""

    level: str | None
    valid_until: datetime | None
    said_at: datetime


class ProfileState(Struct):
    """A profile as its events say; later values replace earlier ones, attribute by attribute.

    said_at: when each attribute was last said. erased_at: when the person was last erased; what
    happened before it is forgotten.
    """

    account: str | None = None
    registered_at: datetime | None = None
    first_seen_at: datetime | None = None
    personal: dict[str, str] = {}
    attributes: dict[str, str] = {}
    said_at: dict[str, datetime] = {}
    held: dict[tuple[str, str], Held] = {}
    consents: dict[tuple[str, str], Consent] = {}
    platform_tier: PlatformTier | None = None
    erased_at: datetime | None = None


class Folded(Struct):
    """A fold's result: state and what became of each event."""

    state: ProfileState
    verdicts: dict[Key, Verdict]


class RulingState(Struct, frozen=True):
    """What was last ruled about a pair."""

    data: RulingData
    is_one: bool
    at: datetime
    event_key: Key


class FoldedRuling(Struct):
    state: RulingState | None
    verdicts: dict[Key, Verdict]


def fold(events: list[Event]) -> Folded:
    """Fold the events of one profile. No events give an empty state."""
    state = ProfileState(personal={}, attributes={}, said_at={}, held={}, consents={})
    erasures = [event for event in events if event.type == "member.erased"]
    until = [max(e.occurred_at, e.data.until or e.occurred_at) for e in erasures]
    state.erased_at = max(until, default=None)
    folded = Folded(state, {})
    for event in in_order(events, "member.registered", RANKS):
        folded.verdicts[event.key] = _tell(state, event)
    return folded


def _tell(state: ProfileState, event: Event) -> Verdict:
    data = event.data
    state.account = data.account
    if event.type == "member.erased":
        return APPLIED
    if state.erased_at is not None and event.occurred_at <= state.erased_at:
        return ERASED
    at = event.occurred_at
    state.first_seen_at = at if state.first_seen_at is None else min(at, state.first_seen_at)
    if isinstance(data, ConsentData):
        consent = Consent(data.is_granted, at, event.key)
        state.consents[data.purpose, data.medium] = consent
        return APPLIED
    if isinstance(data, TierData):
        state.platform_tier = PlatformTier(data.level, data.valid_until, at)
        return APPLIED
    _learn(state, event)
    return APPLIED


def _learn(state: ProfileState, event: Event) -> None:
    data: ProfileData = event.data
    at = event.occurred_at
    if event.type == "member.registered" and state.registered_at is None:
        state.registered_at = at
    state.personal.update(data.personal)
    state.attributes.update(data.attributes)
    state.said_at.update(dict.fromkeys([*data.personal, *data.attributes], at))
    for claim in data.claims:
        name = (claim.type, claim.value)
        known = state.held.get(name)
        if known is None or (known.claim.proof == "declared" and claim.proof == "verified"):
            state.held[name] = Held(claim, at, at, event.key)
        elif known.claim.proof == claim.proof:
            first, last = min(known.valid_from, at), max(known.last_at, at)
            state.held[name] = Held(known.claim, first, last, known.event_key)


def fold_rulings(events: list[Event]) -> FoldedRuling:
    """Fold what people ruled about one pair of profiles: the last word counts."""
    folded = FoldedRuling(None, {})
    for event in in_order(events, "", PAIR_RANKS):
        is_one = event.type == "member.merged"
        folded.state = RulingState(event.data, is_one, event.occurred_at, event.key)
        folded.verdicts[event.key] = APPLIED
    return folded


def pair_key(left: tuple[str, str], right: tuple[str, str]) -> Key:
    """Identity of a pair of accounts (channel, account), whichever is named first."""
    return ids.derived("pair", *sorted((ids.profile_id(*left), ids.profile_id(*right))))


def read_member(payload: payloads.members.Member) -> ProfileData:
    claims: dict[tuple[str, str], Claim] = {}
    for identifier in payload.identifiers:
        kind = identifier.type
        value = normalise(kind, identifier.value, identifier.app)
        if value is not None:
            scopes = {"openid": identifier.app, "unionid": identifier.platform}
            scope = scopes.get(kind) or ""
            claims[(kind, value)] = Claim(kind, value, identifier.proof, scope)
    personal = {name: value for name in _PERSONAL if (value := getattr(payload, name)) is not None}
    return ProfileData(payload.account, tuple(claims.values()), personal, payload.attributes)


def read_consent(payload: payloads.members.ConsentChange) -> ConsentData:
    return ConsentData(payload.account, payload.purpose, payload.medium, payload.granted)


def read_tier(payload: payloads.members.TierReported) -> TierData:
    until = utc(payload.valid_until, "$.data.valid_until") if payload.valid_until else None
    return TierData(payload.account, payload.level, until)


def read_erasure(payload: payloads.members.Erasure) -> ErasureData:
    until = utc(payload.until, "$.data.until") if payload.until is not None else None
    return ErasureData(payload.account, until)


def read_ruling(channel: str, payload: payloads.members.Ruling) -> RulingData:
    left, right = (channel, payload.account), (payload.other.channel, payload.other.account)
    return RulingData(min(left, right), max(left, right), payload.reason)
