"""Which level of a scheme a member has: its history told from the beginning. Pure.

Growth and payments come and go, levels are reached, reviewed and lost. Told in the order of the
times over all profiles of the member, so any order of arrival, a merge and its undoing end with the
same levels. Time by itself changes nothing until it is told: up to when is the caller's to say.
"""

from bisect import bisect_right
from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import accumulate

from msgspec.structs import replace

from hub.domain.documents import Version, in_force
from hub.domain.ids import Key
from hub.domain.tier_schemes import Scheme
from hub.domain.tier_standing import (
    BOUGHT,
    LEFT_WINDOW,
    NEW_VERSION,
    PAID_ENDED,
    REACHED,
    REFUNDED,
    REVIEWED,
    Award,
    Change,
    Fact,
    Membership,
    Standing,
)


def tell(
    facts: Sequence[Fact],
    memberships: Sequence[Membership],
    versions: Sequence[Version[Scheme]],
    until: datetime,
) -> Standing:
    """The standing at `until`. facts: of all the member's profiles, none later than `until`;
    versions: the oldest first."""
    telling = _Telling(facts, memberships, versions)
    while (at := telling.next_at()) is not None and at <= until:
        telling.advance(at)
    return telling.standing(until)


class _Telling:
    """A member's history in one scheme as it is told, from one time at which it can change to the
    next."""

    def __init__(
        self,
        facts: Sequence[Fact],
        memberships: Sequence[Membership],
        versions: Sequence[Version[Scheme]],
    ) -> None:
        self._facts = sorted(facts, key=lambda fact: (fact.at, fact.growth < 0, fact.event_key))
        self._times = [fact.at for fact in self._facts]
        self._sums = [0]
        self._memberships = memberships
        self._versions = versions
        self._told = 0
        self._now: datetime | None = None
        self._version: Version[Scheme] | None = None
        self._earned: str | None = None
        self._since: datetime | None = None
        self._valid_until: datetime | None = None
        self._shown: str | None = None
        self._shown_since: datetime | None = None
        self.changes: list[Change] = []
        self.awards: list[Award] = []

    def next_at(self) -> datetime | None:
        """The next time at which anything may change."""
        times = [version.valid_from for version in self._versions]
        times += [at for one in self._memberships for at in (one.since, one.until)]
        if self._told < len(self._facts):
            times.append(self._facts[self._told].at)
        if self._valid_until is not None:
            times += [self._valid_until, self._grace_until(self._valid_until)]
        if self._now is not None and self._is_looked_at(self._now):
            times += self._next_to_leave(self._now)
        return min((at for at in times if self._now is None or at > self._now), default=None)

    def _is_looked_at(self, now: datetime) -> bool:
        """Whether the level goes by every moment: no validity keeps it, or grace waits for it to be
        reached again, which a refund that leaves the window can bring about too."""
        return self._valid_until is None or self._valid_until <= now

    def _next_to_leave(self, now: datetime) -> list[datetime]:
        """When the next fact leaves the window."""
        window = self._window()
        if window is None:
            return []
        place = bisect_right(self._times, now - window)
        return [self._times[place] + window] if place < self._told else []

    def advance(self, at: datetime) -> None:
        """Tell what happens at a time: facts first, then what time itself does."""
        self._now = at
        found = in_force(self._versions, at)
        is_new = found is not self._version
        if found is not None and is_new:
            self._follow(found, at)
        while self._told < len(self._facts) and self._facts[self._told].at == at:
            fact = self._facts[self._told]
            self._told += 1
            is_less = self._worth(fact) < 0
            self._settle(at, REFUNDED if is_less else REACHED, fact.event_key)
            if is_less:
                self._recall(at)
        if is_new:
            self._settle(at, NEW_VERSION, None)
        self._settle(at, REVIEWED if self._valid_until is not None else LEFT_WINDOW, None)

    def _follow(self, version: Version[Scheme], at: datetime) -> None:
        """Go by another version from now on: what a level was reached for keeps its time."""
        self._version = version
        self._sums = list(accumulate((self._worth(fact) for fact in self._facts), initial=0))
        if version.document.validity_days is None:
            self._valid_until = None
        elif self._earned is not None and self._valid_until is None:
            self._valid_until = self._valid_to(version.document, at)

    def standing(self, until: datetime) -> Standing:
        """What was told; the next change is found by telling on without any new fact."""
        version = self._version
        standing = Standing(
            self._shown,
            self._shown_since,
            self._valid_until,
            self._value(until, self._window()) if version is not None else None,
            version.number if version is not None else 0,
            None,
            list(self.changes),
            list(self.awards),
        )
        was = self._state()
        while standing.due_at is None and (at := self.next_at()) is not None:
            self.advance(at)
            if self._state() != was:
                standing.due_at = at
        return standing

    def _state(self) -> object:
        return self._version, self._shown, self._earned, self._valid_until

    def _settle(self, at: datetime, cause: str, event_key: Key | None) -> None:
        scheme = self._scheme()
        if scheme is None:
            return
        reached = scheme.reached(self._value(at, self._window()))
        held = scheme.rank(self._earned)
        # Time alone raises nobody: a refund leaves the window without what it took back.
        is_up = reached > held and cause in (REACHED, NEW_VERSION)
        if is_up or (reached < held and self._is_lost(at, cause, scheme)):
            self._set_earned(scheme, reached, at)
            if is_up:
                self._award(scheme, reached, at)
        elif held < 0 and self._earned is not None:
            self._set_earned(scheme, reached, at)
        elif 0 <= held <= reached and self._valid_until is not None and at >= self._valid_until:
            self._valid_until = self._valid_to(scheme, at)
        self._show(scheme, at, cause, event_key)

    def _is_lost(self, at: datetime, cause: str, scheme: Scheme) -> bool:
        """Whether a level that is not reached any more goes now."""
        if self._valid_until is None:
            return True
        if at >= self._grace_until(self._valid_until):
            return True
        if cause != REFUNDED or scheme.after_refund != "at_once":
            return False
        # What has only left the window since is a matter of the review.
        assert self._since is not None
        return scheme.reached(self._value(at, self._window(), self._since)) < scheme.rank(
            self._earned
        )

    def _set_earned(self, scheme: Scheme, rank: int, at: datetime) -> None:
        self._earned = scheme.level(rank)
        self._since = at
        self._valid_until = self._valid_to(scheme, at) if rank >= 0 else None

    def _award(self, scheme: Scheme, rank: int, at: datetime) -> None:
        gift = scheme.levels[rank].gift
        if gift is None:
            return
        level = scheme.levels[rank].name
        known = [one for one in self.awards if one.level == level]
        if any(one.until is None or at < one.until for one in known):
            return
        self.awards.append(Award(level, gift, at, self._valid_until))

    def _recall(self, at: datetime) -> None:
        """A refund takes back gifts whose ground it took, within their period."""
        scheme = self._scheme()
        if scheme is None:
            return
        for place, award in enumerate(self.awards):
            is_over = award.until is not None and at >= award.until
            if award.recalled_at is not None or is_over:
                continue
            value = self._value(at, self._window(), award.since)
            if scheme.reached(value) < scheme.rank(award.level):
                self.awards[place] = replace(award, recalled_at=at)

    def _show(self, scheme: Scheme, at: datetime, cause: str, event_key: Key | None) -> None:
        """The level that counts is the highest of what was reached and what was bought."""
        bought = [one.level for one in self._memberships if one.since <= at < one.until]
        ranks = [scheme.rank(level) for level in (self._earned, *bought)]
        level = scheme.level(max(ranks))
        if level == self._shown:
            return
        if any(one.since == at for one in self._memberships) and level in bought:
            cause = BOUGHT
        elif any(one.until == at for one in self._memberships):
            cause = PAID_ENDED
        assert self._version is not None
        change = Change(at, self._shown, level, cause, event_key, self._version.number)
        self.changes.append(change)
        self._shown, self._shown_since = level, at

    def _scheme(self) -> Scheme | None:
        return self._version.document if self._version is not None else None

    def _window(self) -> timedelta | None:
        scheme = self._scheme()
        if scheme is None or scheme.window_days is None:
            return None
        return timedelta(days=scheme.window_days)

    def _value(self, at: datetime, window: timedelta | None, anchor: datetime | None = None) -> int:
        """What was told until `at` comes to, of the window before it or before `anchor`."""
        first = 0
        if window is not None:
            first = min(bisect_right(self._times, (anchor or at) - window), self._told)
        return self._sums[self._told] - self._sums[first]

    def _worth(self, fact: Fact) -> int:
        scheme = self._scheme()
        if scheme is None or scheme.basis == "growth":
            return fact.growth
        return fact.amount_minor if fact.currency == scheme.currency else 0

    def _valid_to(self, scheme: Scheme, at: datetime) -> datetime | None:
        if scheme.validity_days is None:
            return None
        return scheme.end_of_day(at, scheme.validity_days)

    def _grace_until(self, valid_until: datetime) -> datetime:
        scheme = self._scheme()
        return valid_until + timedelta(days=scheme.grace_days if scheme is not None else 0)
