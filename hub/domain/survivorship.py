"""Which of the values that a member's profiles say of one attribute is shown, and where it is from.

Pure. The channel whose word counts most comes first, then who said it last.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime

from msgspec import Struct

from hub.domain.ids import Key


class Said(Struct, frozen=True):
    """One profile's value of an attribute; `value` is None where it is personal."""

    name: str
    value: str | None
    channel: str
    profile_id: Key
    said_at: datetime


def survivors(said: Iterable[Said], channels: Sequence[str]) -> list[Said]:
    """The value of each attribute that counts, by name. channels: whose word counts most, first."""
    strength = {channel: len(channels) - place for place, channel in enumerate(channels)}
    best: dict[str, Said] = {}
    for one in said:
        known = best.get(one.name)
        if known is None or _rank(one, strength) > _rank(known, strength):
            best[one.name] = one
    return [best[name] for name in sorted(best)]


def _rank(one: Said, strength: dict[str, int]) -> tuple[int, datetime, Key]:
    return strength.get(one.channel, 0), one.said_at, one.profile_id
