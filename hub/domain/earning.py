"""Earning and redeeming points: versions of the rule as data, and what an order earns by which.

A version is chosen by the time of what earned, never by when the hub heard of it: a late event of
the day before a double-points day earns by the day before. Versions are configuration of kind
`points_rules`; before the first that was published, those in `policies/points.json` are in force.
What happens to points afterwards: `hub.domain.points`.
"""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from importlib.resources import files
from typing import Annotated
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Meta, Struct

from hub.domain import money
from hub.domain.documents import BadDocument, Document, convert
from hub.domain.order_data import Content

KIND, NAME = "points_rules", "default"
NEVER = datetime(9999, 12, 31, tzinfo=UTC)
_BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)
ONCE_MILLI = 1000
Days = Annotated[int, Meta(ge=0, le=36_500)]
FactorMilli = Annotated[int, Meta(ge=0, le=1_000_000, description="thousandths: 2000 doubles")]


Points = Annotated[int, Meta(ge=1, le=10**12)]


class Bill(Struct, frozen=True):
    """What is to be paid for an order: after its discounts, and what is left after vouchers."""

    total_minor: int
    left_minor: int
    currency: str


class Redeeming(Struct, frozen=True, forbid_unknown_fields=True):
    """How many points the hub lets somebody spend on one order. points_per_unit: how many pay one
    whole unit of its currency; of its total they pay `share_max_percent` at most."""

    points_min: Points = 1
    multiple_of: Points = 1
    points_max: Points | None = None
    points_per_unit: Points | None = None
    share_max_percent: Annotated[int, Meta(ge=1, le=100)] = 100

    def refuse(self, points: int, bill: Bill | None = None) -> str | None:
        """Why so many points cannot be spent; bill: of the order, if it is known."""
        if points < self.points_min:
            return f"at least {self.points_min} points are spent on an order"
        if points % self.multiple_of:
            return f"points are spent in multiples of {self.multiple_of}"
        if self.points_max is not None and points > self.points_max:
            return f"no more than {self.points_max} points are spent on an order"
        if bill is not None and (most := self._pays(bill)) is not None and points > most:
            return f"no more than {most} points pay for this order"
        return None

    def most(self, available: int, bill: Bill | None = None) -> int:
        """The most points of so many that can be spent on an order; 0 for none."""
        bounds = [available, self.points_max, self._pays(bill) if bill is not None else None]
        points = min(bound for bound in bounds if bound is not None)
        points -= points % self.multiple_of
        return points if points >= self.points_min else 0

    def worth_minor(self, points: int, currency: str) -> int | None:
        """What so many points pay, rounded down; None where the rule does not say."""
        if self.points_per_unit is None:
            return None
        return points * 10 ** money.exponent(currency) // self.points_per_unit

    def _pays(self, bill: Bill) -> int | None:
        """How many points pay no more than the bill lets them."""
        if self.points_per_unit is None:
            return None
        most_minor = min(bill.total_minor * self.share_max_percent // 100, bill.left_minor)
        return most_minor * self.points_per_unit // 10 ** money.exponent(bill.currency)


class Rates(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What a version says. Factors are by category of the line and by date in the business zone;
    without `return_days` points are usable once the order is paid, otherwise that many days after
    the goods were handed over, by category."""

    points_per_unit: Annotated[int, Meta(ge=0, le=1_000_000)]
    growth_per_unit: Annotated[int, Meta(ge=0, le=1_000_000)] = 1
    category_factors_milli: Mapping[str, FactorMilli] = {}
    date_factors_milli: Mapping[date, FactorMilli] = {}
    expires_days: Days | None = None
    return_days: Days | None = None
    category_return_days: Mapping[str, Days] = {}
    grace_days: Days = 30
    redeeming: Redeeming = Redeeming()

    def factor_milli(self, category: str | None, on: date) -> int:
        """What a line of this category earns on this date, in thousandths of the plain rate."""
        by_category = self.category_factors_milli.get(category or "", ONCE_MILLI)
        return by_category * self.date_factors_milli.get(on, ONCE_MILLI)

    @property
    def is_plain(self) -> bool:
        return not self.category_factors_milli and not self.date_factors_milli


class Rule(Rates, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One version: its name, why it is as it is, and from when it is in force."""

    version: str
    reason: str
    valid_from: datetime


class Terms(Struct, frozen=True):
    """What a lot of points is worth by its rule, whatever was taken back since: how many points
    were granted, from when they can be used (NEVER: not known yet) and until when."""

    granted_points: int
    earned_at: datetime
    opens_at: datetime
    expires_at: datetime | None
    rule_version: str


class Scheme(Struct, frozen=True, forbid_unknown_fields=True):
    """All versions, the oldest first, and the zone their dates are of."""

    zone: str
    rules: Sequence[Rule]

    def at(self, when: datetime) -> Rule:
        """The version in force at a time; the first one for times before it."""
        if len(self.rules) == 1:
            return self.rules[0]
        return self.rules[max(bisect_right(self.rules, when, key=lambda r: r.valid_from) - 1, 0)]

    def day(self, when: datetime) -> date:
        return when.astimezone(ZoneInfo(self.zone)).date()

    def end_of_day(self, day: date) -> datetime:
        """The moment at which a date is over."""
        start = datetime.combine(day + timedelta(days=1), time.min, ZoneInfo(self.zone))
        return start.astimezone(UTC)

    def followed_by(self, published: Sequence[Rule]) -> "Scheme":
        """These versions until the first that was published, then those; the oldest first."""
        if not published:
            return self
        before = [rule for rule in self.rules if rule.valid_from < published[0].valid_from]
        return Scheme(self.zone, (*before, *published))

    def tried(self, rates: Rates, since: datetime | None) -> "Scheme":
        """These versions with another from a time on, or instead of all of them."""
        return self.followed_by([published(0, "tried", since or _BEGINNING, rates)])

    def points_of(self, content: Content, amount_minor: int, at: datetime) -> int:
        """What an amount paid for this content at a time earns: whole points, rounded down.

        An amount less than the total earns pro rata, so refunds in parts take back all there was.
        """
        rule = self.at(at)
        unit = 10 ** money.exponent(content.currency)
        if rule.is_plain or not content.total_minor:
            return amount_minor * rule.points_per_unit // unit
        on = self.day(at)
        weight = sum(
            (line.gross_minor - line.discount_minor) * rule.factor_milli(line.category, on)
            for line in content.lines
        )
        per_point = content.total_minor * ONCE_MILLI * ONCE_MILLI * unit
        return amount_minor * rule.points_per_unit * weight // per_point

    def growth_of(self, currency: str, amount_minor: int, at: datetime) -> int:
        """The growth that an amount paid at a time brings, rounded down."""
        return amount_minor * self.at(at).growth_per_unit // 10 ** money.exponent(currency)

    def terms(
        self,
        content: Content,
        granted_points: int,
        earned_at: datetime,
        handed_over_at: datetime | None,
    ) -> Terms:
        """The terms of points that an order earned at a time; handed_over_at: of all its goods."""
        rule = self.at(earned_at)
        opens_at = earned_at
        if rule.return_days is not None:
            days = max(
                rule.category_return_days.get(line.category or "", rule.return_days)
                for line in content.lines
            )
            opens_at = NEVER if handed_over_at is None else handed_over_at + timedelta(days=days)
        return Terms(
            granted_points,
            earned_at,
            max(opens_at, earned_at),
            self._expiry(rule.expires_days, earned_at),
            rule.version,
        )

    def grace_until(self, returned_at: datetime) -> datetime:
        """Until when points that came back after their expiry can be spent."""
        days = self.at(returned_at).grace_days
        return self.end_of_day(self.day(returned_at) + timedelta(days=days))

    def _expiry(self, days: int | None, earned_at: datetime) -> datetime | None:
        """Points of one day expire together, at its end."""
        if days is None:
            return None
        return self.end_of_day(self.day(earned_at) + timedelta(days=days))


def read(text: bytes) -> Scheme:
    """A scheme from JSON; ValueError where it contradicts itself."""
    scheme = msgspec.json.decode(text, type=Scheme)
    starts = [rule.valid_from for rule in scheme.rules]
    if not starts or starts != sorted(set(starts)):
        raise ValueError("points rules must be in the order of valid_from, one a moment")
    if len({rule.version for rule in scheme.rules}) != len(starts):
        raise ValueError("two points rules have the same version")
    return scheme


def read_rates(document: Document) -> Rates:
    """What a document of kind `points_rules` says. BadDocument where it contradicts itself."""
    rates = convert(document, Rates)
    if rates.category_return_days and rates.return_days is None:
        raise BadDocument("days by category need days for all others", "$.return_days")
    redeeming = rates.redeeming
    if redeeming.points_max is not None and redeeming.points_max < redeeming.points_min:
        raise BadDocument("points_max is below points_min", "$.redeeming.points_max")
    if redeeming.share_max_percent < 100 and redeeming.points_per_unit is None:
        raise BadDocument("a share needs points_per_unit", "$.redeeming.share_max_percent")
    return rates


def published(number: int, reason: str, valid_from: datetime, rates: Rates) -> Rule:
    """A published version as a rule; number: among those of its document, from 1."""
    said = msgspec.structs.asdict(rates)
    return Rule(version=f"{KIND}/{number}", reason=reason, valid_from=valid_from, **said)


SCHEME = read((files("hub.domain") / "policies" / "points.json").read_bytes())
