"""The matching policy: which identifiers join profiles by themselves, and within which limits.

Data with a version, which stands on every link that it decided. How it is followed is in
`hub.domain.matching`; values that identify nobody anywhere are in `hub.domain.identifiers`.
"""

from datetime import timedelta
from functools import cache
from importlib.resources import files
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from hub.domain.identifiers import normalise

TYPES = ("unionid", "openid", "crm_id", "card", "phone", "email")
PROFILES_MAX = 20
"""Profiles that may share one value: a person has an account or two at each channel."""
PROFILES_LIMIT = 200
"""Above this a policy is refused: each write looks at all profiles that share its values."""
Version = Annotated[str, Meta(min_length=1, max_length=64)]
Limit = Annotated[int, Meta(ge=2, le=PROFILES_LIMIT)]


class PolicyInvalid(ValueError):
    """The matching policy cannot be used."""


class TypeRule(Struct, frozen=True, forbid_unknown_fields=True):
    """What a shared verified value of one type does.

    joins: by itself; otherwise it only asks a person. unless_differ: types of which two persons
    have different values: whoever differs in them is not joined. profiles_max: a value that more
    profiles share belongs to nobody. reassigned_after_days: who shows a value this long after the
    last proof of its holder, and is another person by what is known, has it from then on (carriers
    in China keep a returned number back for 90 days).
    """

    joins: bool = True
    unless_differ: tuple[str, ...] = ()
    profiles_max: Limit = PROFILES_MAX
    reassigned_after_days: Annotated[int, Meta(ge=1)] | None = None

    @property
    def reassigned_after(self) -> timedelta | None:
        days = self.reassigned_after_days
        return timedelta(days=days) if days is not None else None


class Policy(Struct, frozen=True, forbid_unknown_fields=True):
    """The types in order of their strength, the strongest first, and values that never join.

    blocked: by type, such as the number of a store's tablet that clerks show for everybody.
    channels: whose word on a person's attributes counts most, first; those not named count last.
    """

    version: Version
    types: dict[str, TypeRule]
    blocked: dict[str, list[str]] = {}
    channels: tuple[str, ...] = ()


@cache
def default() -> Policy:
    """The policy the hub comes with."""
    return read((files("hub.domain") / "matching_policy.json").read_bytes())


def read(body: bytes) -> Policy:
    """The policy in a JSON document. PolicyInvalid names what is wrong."""
    try:
        policy = msgspec.json.decode(body, type=Policy)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise PolicyInvalid(f"The matching policy cannot be read: {error}") from None
    named = {*policy.types, *policy.blocked}
    named |= {name for rule in policy.types.values() for name in rule.unless_differ}
    if unknown := sorted(named - set(TYPES)):
        raise PolicyInvalid(f"No such type of identifier: {', '.join(unknown)}")
    return policy


def blocked_values(policy: Policy) -> list[tuple[str, str]]:
    """The blocked values (type, value) in their one spelling."""
    return [
        (kind, normal)
        for kind, values in policy.blocked.items()
        for value in values
        if (normal := normalise(kind, value)) is not None
    ]
