"""Tier schemes: what a member's levels are, how they are reached, kept and lost. Pure.

A scheme is configuration of kind `tier_scheme` with versions; any number of them stand beside each
other. Which level a member has: `hub.domain.tiers`.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, time, timedelta
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from msgspec import Meta, Struct

from hub.domain.documents import BadDocument, Document, convert

LEVELS_MAX = 20
Name = Annotated[str, Meta(min_length=1, max_length=64)]
Days = Annotated[int, Meta(ge=1, le=36_500)]
FactorMilli = Annotated[int, Meta(ge=1_000, le=1_000_000)]


class Gift(Struct, frozen=True, forbid_unknown_fields=True):
    """A coupon for reaching a level, valid for so many days; what it is worth is its template's."""

    template: Name
    valid_days: Days
    kind: Literal["discount", "exchange"] = "exchange"


class Level(Struct, frozen=True, forbid_unknown_fields=True):
    """One level. threshold: growth, or minor units of the scheme's currency; points_factor_milli:
    what its members earn, in thousandths; platform_levels: what a channel calls it."""

    name: Name
    threshold: Annotated[int, Meta(ge=0, le=10**15)]
    points_factor_milli: FactorMilli = 1_000
    gift: Gift | None = None
    price_list: Name | None = None
    platform_levels: Mapping[Name, Name] = {}


class Paid(Struct, frozen=True, forbid_unknown_fields=True):
    """A paid membership: who buys this SKU has the level for so many days."""

    sku: Name
    level: Name
    days: Days


class Scheme(Struct, frozen=True, forbid_unknown_fields=True):
    """One version of a scheme.

    basis: growth, or the net amount paid in `currency`, of the last `window_days`, or ever.
    validity_days: how long a level is kept once reached, to the end of the day in the business
    zone; then it is reviewed, and lost `grace_days` later unless it is reached again. Without it a
    level is had as long as it is reached. after_refund: when a level goes that a refund has taken
    the ground from.
    """

    basis: Literal["growth", "net_paid"]
    levels: Annotated[Sequence[Level], Meta(min_length=1, max_length=LEVELS_MAX)]
    currency: Annotated[str, Meta(pattern="^[A-Z]{3}$")] | None = None
    window_days: Days | None = None
    validity_days: Days | None = None
    grace_days: Annotated[int, Meta(ge=0, le=3_650)] = 0
    after_refund: Literal["at_once", "at_review"] = "at_once"
    paid: Annotated[Sequence[Paid], Meta(max_length=LEVELS_MAX)] = ()
    zone: Name = "Asia/Shanghai"

    def rank(self, level: str | None) -> int:
        """The level's place from the lowest (0) up; -1 for none of them."""
        return next((i for i, one in enumerate(self.levels) if one.name == level), -1)

    def reached(self, value: int) -> int:
        """The rank that a value reaches."""
        return sum(level.threshold <= value for level in self.levels) - 1

    def level(self, rank: int) -> str | None:
        return self.levels[rank].name if rank >= 0 else None

    def end_of_day(self, at: datetime, days: int) -> datetime:
        """The end of the day so many days after a time."""
        zone = ZoneInfo(self.zone)
        day = at.astimezone(zone).date() + timedelta(days=days + 1)
        return datetime.combine(day, time.min, zone).astimezone(at.tzinfo)


def read(document: Document) -> Scheme:
    """A scheme from its document. BadDocument where it contradicts itself."""
    scheme = convert(document, Scheme)
    names = [level.name for level in scheme.levels]
    thresholds = [level.threshold for level in scheme.levels]
    if len(set(names)) != len(names):
        raise BadDocument("two levels have the same name", "$.levels")
    if thresholds != sorted(set(thresholds)):
        raise BadDocument("levels must be in the order of their thresholds", "$.levels")
    if (scheme.basis == "net_paid") != (scheme.currency is not None):
        raise BadDocument("a currency is named where the basis is net_paid, only", "$.currency")
    if scheme.validity_days is None and (scheme.grace_days or scheme.after_refund == "at_review"):
        raise BadDocument("without validity_days there is no review", "$.validity_days")
    for place, paid in enumerate(scheme.paid):
        if paid.level not in names:
            raise BadDocument(f"there is no level '{paid.level}'", f"$.paid[{place}].level")
    try:
        ZoneInfo(scheme.zone)
    except (KeyError, ValueError, OSError):
        raise BadDocument(f"there is no time zone '{scheme.zone}'", "$.zone") from None
    return scheme
