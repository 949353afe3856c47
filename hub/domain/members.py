"""Members: a profile is the fold of its own events; a member is a component of profiles that
share a verified identifier. Pure.

The member's id is the smallest profile id of its component, so any order of events and any number
of workers ends with the same members.
"""

from collections.abc import Iterable
from datetime import datetime

from msgspec import Struct

from hub.domain import payloads
from hub.domain.envelope import APPLIED, Event, Verdict, in_order
from hub.domain.identifiers import normalise
from hub.domain.ids import Key

MATCHING_RULE = "match-1"
"""Version of the matching rule: one shared verified identifier of any type joins two profiles."""
RANKS = {"member.registered": 0, "member.updated": 1, "member.identified": 2}
_PERSONAL = ("name", "gender", "birthday")


class Claim(Struct, frozen=True):
    """An identifier that a profile showed; `value` is in its one spelling."""

    type: str
    value: str
    proof: str


class ProfileData(Struct, frozen=True):
    """What a member event says. Values that identify nobody are left out."""

    account: str
    claims: tuple[Claim, ...]
    personal: dict[str, str]
    attributes: dict[str, str]


class Held(Struct, frozen=True):
    """A claim as the profile holds it: its best proof, when it was first shown, by which event."""

    claim: Claim
    valid_from: datetime
    event_key: Key


class ProfileState(Struct):
    """A profile as its events say; later values replace earlier ones, attribute by attribute."""

    account: str | None = None
    registered_at: datetime | None = None
    first_seen_at: datetime | None = None
    personal: dict[str, str] = {}
    attributes: dict[str, str] = {}
    held: dict[tuple[str, str], Held] = {}


class Folded(Struct):
    """A fold's result: state and what became of each event."""

    state: ProfileState
    verdicts: dict[Key, Verdict]


def fold(events: list[Event]) -> Folded:
    """Fold the events of one profile. No events give an empty state."""
    state = ProfileState(personal={}, attributes={}, held={})
    folded = Folded(state, {})
    for event in in_order(events, "member.registered", RANKS):
        _learn(state, event)
        folded.verdicts[event.key] = APPLIED
    return folded


def _learn(state: ProfileState, event: Event) -> None:
    data: ProfileData = event.data
    state.account = data.account
    at = event.occurred_at
    state.first_seen_at = at if state.first_seen_at is None else min(at, state.first_seen_at)
    if event.type == "member.registered" and state.registered_at is None:
        state.registered_at = at
    state.personal.update(data.personal)
    state.attributes.update(data.attributes)
    for claim in data.claims:
        known = state.held.get((claim.type, claim.value))
        if known is None or (known.claim.proof == "declared" and claim.proof == "verified"):
            state.held[(claim.type, claim.value)] = Held(claim, at, event.key)


def read_member(payload: payloads.Member) -> ProfileData:
    claims: dict[tuple[str, str], Claim] = {}
    for identifier in payload.identifiers:
        value = normalise(identifier.type, identifier.value, identifier.app)
        if value is not None:
            claims[(identifier.type, value)] = Claim(identifier.type, value, identifier.proof)
    personal = {name: value for name in _PERSONAL if (value := getattr(payload, name)) is not None}
    return ProfileData(payload.account, tuple(claims.values()), personal, payload.attributes)


def components(edges: Iterable[tuple[Key, Key]]) -> dict[Key, Key]:
    """The root of each node that the edges name: the smallest node of its component."""
    parent: dict[Key, Key] = {}

    def root(node: Key) -> Key:
        while (above := parent.setdefault(node, node)) != node:
            parent[node] = parent[above]
            node = above
        return node

    for left, right in edges:
        a, b = root(left), root(right)
        if a != b:
            parent[max(a, b)] = min(a, b)
    return {node: root(node) for node in list(parent)}
