"""The matching policy: which identifiers join profiles by themselves, and within which limits.

Data with a version, which stands on every link that it decided: configuration of kind
`matching_policy`; until one is published, the document beside this module is in force. How it is
followed is in `hub.domain.matching`; values that identify nobody anywhere are in
`hub.domain.identifiers`.
"""

from datetime import timedelta
from functools import cache
from importlib.resources import files
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from hub.domain.documents import BadDocument, Document, convert
from hub.domain.identifiers import normalise

KIND, NAME = "matching_policy", "default"
TYPES = ("unionid", "openid", "crm_id", "card", "phone", "email")
PROFILES_MAX = 20
"""Profiles that may share one value: a person has an account or two at each channel."""
PROFILES_LIMIT = 200
"""Above this a policy is refused: each write looks at all profiles that share its values."""
Version = Annotated[str, Meta(min_length=1, max_length=64)]
Limit = Annotated[int, Meta(ge=2, le=PROFILES_LIMIT)]


class TypeRule(Struct, frozen=True, forbid_unknown_fields=True):
    """What a shared verified value of one type does.

    joins: by itself; otherwise it only asks a person. unless_differ: types of which two persons
    have different values: whoever differs in them is not joined. profiles_max: a value that more
    profiles share belongs to nobody. reassigned_after_days: who shows a value this long after the
    last proof of its holder, and is another person by what is known, has it from then on (carriers
    in China keep a returned number back for 90 days).
    """

    type: str
    joins: bool = True
    unless_differ: tuple[str, ...] = ()
    profiles_max: Limit = PROFILES_MAX
    reassigned_after_days: Annotated[int, Meta(ge=1)] | None = None

    @property
    def reassigned_after(self) -> timedelta | None:
        days = self.reassigned_after_days
        return timedelta(days=days) if days is not None else None


class _Said(Struct, frozen=True, forbid_unknown_fields=True):
    """A policy as its document says it."""

    version: Version
    types: Annotated[list[TypeRule], Meta(min_length=1)]
    blocked: dict[str, list[str]] = {}
    channels: tuple[str, ...] = ()


class Policy(Struct, frozen=True):
    """The types in order of their strength, the strongest first, and values that never join.

    blocked: by type, such as the number of a store's tablet that clerks show for everybody.
    channels: whose word on a person's attributes counts most, first; those not named count last.
    """

    version: str
    types: dict[str, TypeRule]
    blocked: dict[str, list[str]]
    channels: tuple[str, ...]


@cache
def default() -> Policy:
    """The policy the hub comes with."""
    text = (files("hub.domain") / "matching_policy.json").read_bytes()
    return read(msgspec.json.decode(text))


def read(document: Document) -> Policy:
    """The policy as it is followed. BadDocument names the field that is wrong."""
    said = convert(document, _Said)
    for index, rule in enumerate(said.types):
        where = f"$.types[{index}]"
        if unknown := sorted({rule.type, *rule.unless_differ} - set(TYPES)):
            raise BadDocument(f"no such type of identifier: {', '.join(unknown)}", where)
        if rule.type in {earlier.type for earlier in said.types[:index]}:
            raise BadDocument(f"{rule.type} is named twice", where)
    if unknown := sorted(set(said.blocked) - set(TYPES)):
        raise BadDocument(f"no such type of identifier: {', '.join(unknown)}", "$.blocked")
    types = {rule.type: rule for rule in said.types}
    return Policy(said.version, types, said.blocked, said.channels)


def blocked_values(policy: Policy) -> list[tuple[str, str]]:
    """The blocked values (type, value) in their one spelling."""
    return [
        (kind, normal)
        for kind, values in policy.blocked.items()
        for value in values
        if (normal := normalise(kind, value)) is not None
    ]
