"""What a level follows from, and what is told of it. The telling: `hub.domain.tiers`."""

from datetime import datetime

from msgspec import Struct

from hub.domain.ids import Key
from hub.domain.tier_schemes import Gift

REACHED, REVIEWED, REFUNDED, LEFT_WINDOW = "reached", "reviewed", "refunded", "left_window"
BOUGHT, PAID_ENDED, NEW_VERSION = "bought", "paid_ended", "new_version"


class Fact(Struct, frozen=True):
    """What one event brought (or took) of growth and money at a time."""

    at: datetime
    event_key: Key
    growth: int
    amount_minor: int = 0
    currency: str | None = None
    order_id: Key | None = None


class Membership(Struct, frozen=True):
    """A level that was paid for, from a time until another."""

    level: str
    since: datetime
    until: datetime


class Change(Struct, frozen=True):
    """One change of the level, with its cause and the version of the scheme that made it."""

    at: datetime
    level_before: str | None
    level: str | None
    cause: str
    event_key: Key | None
    version: int


class Award(Struct, frozen=True):
    """A level that was reached and brings a gift: once in a period of validity. recalled_at: when a
    refund took the ground from it."""

    level: str
    gift: Gift
    since: datetime
    until: datetime | None
    recalled_at: datetime | None = None


class Standing(Struct):
    """A member's level in a scheme as of a time. due_at: when time alone changes it next."""

    level: str | None = None
    since: datetime | None = None
    valid_until: datetime | None = None
    value: int | None = None
    version: int = 0
    due_at: datetime | None = None
    changes: list[Change] = []
    awards: list[Award] = []
