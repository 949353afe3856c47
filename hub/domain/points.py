"""Points of one account: lots, what was spent of them, debt. Pure; whole points only.

An account is its lots, the steps by which points were taken and given back, and a clock. Which
lots are open, and what is owed, follows from them alone: see `hub.domain.settling`.
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from types import MappingProxyType

from msgspec import Struct

from hub.domain.earning import NEVER, Terms
from hub.domain.ids import Key

NO_TERMS: Mapping[Key, Terms] = MappingProxyType({})
BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)
"""The clock of an account of which no day was closed yet."""


class Lot(Struct):
    """Points earned together. earned_points is what is left of the earning after reversals;
    grace_until is when the open ones end that came back after the lot had expired."""

    lot_id: Key
    profile_id: Key
    granted_points: int
    earned_points: int
    pending_points: int
    open_points: int
    expired_points: int
    earned_at: datetime
    opens_at: datetime
    expires_at: datetime | None
    grace_until: datetime | None
    order_id: Key | None
    rule_version: str

    @property
    def is_waiting(self) -> bool:
        """Whether points of this lot were not usable at once."""
        return self.opens_at > self.earned_at


class Entry(Struct, gc=False, frozen=True):
    """One line of the ledger: points > 0 add to the balance, < 0 take from it; held_points moves
    what is held. use_id names the spending that takes points or gives them back."""

    entry_id: Key
    profile_id: Key
    kind: str
    points: int
    lot_id: Key | None
    order_id: Key | None
    occurred_at: datetime
    event_key: Key
    rule_version: str
    held_points: int = 0
    use_id: Key | None = None


class Step(Struct, gc=False, frozen=True):
    """What one spending took (points < 0) or gave back at a time; grace_until: when what came back
    after its lot had expired ends, None: by the rule the hub comes with."""

    use_id: Key
    at: datetime
    points: int
    grace_until: datetime | None = None


class Account(Struct):
    """Totals of one profile. Shown balance = open - debt.

    settled_at: until when its days are closed; due_at: when time alone changes it next;
    last_used_at: the last time points were taken or came back, None if never.
    """

    profile_id: Key
    issued_points: int = 0
    spent_points: int = 0
    expired_points: int = 0
    reversed_points: int = 0
    pending_points: int = 0
    held_points: int = 0
    open_points: int = 0
    debt_points: int = 0
    settled_at: datetime = BEGINNING
    due_at: datetime | None = None
    last_used_at: datetime | None = None

    @property
    def as_of(self) -> datetime:
        """The time at which the totals are true."""
        return max(self.settled_at, self.last_used_at or self.settled_at)

    @property
    def only_gained(self) -> bool:
        """Whether nothing was ever taken, so that each lot stands for itself."""
        return self.last_used_at is None and self.reversed_points == self.debt_points == 0


def enter(
    account: Account,
    lots: dict[Key, Lot],
    entries: Iterable[Entry],
    terms: Mapping[Key, Terms] = NO_TERMS,
) -> None:
    """Enter what was earned and taken into totals and lots; `settle` or `gain` does the rest.

    lots: by id, changed in place; an earning for an unknown lot opens it. terms: of lots whose
    terms are new or changed.
    """
    for entry in entries:
        if entry.use_id is not None:
            account.spent_points -= entry.points + entry.held_points
            account.held_points += entry.held_points
            continue
        if entry.points >= 0:
            account.issued_points += entry.points
        else:
            account.reversed_points -= entry.points
        lot_id = entry.lot_id or entry.entry_id
        if lot_id not in lots:
            lots[lot_id] = _lot(lot_id, entry)
        lots[lot_id].earned_points += entry.points
    for lot_id, term in terms.items():
        if lot_id in lots:
            _set_terms(lots[lot_id], term)


def _lot(lot_id: Key, entry: Entry) -> Lot:
    return Lot(
        lot_id,
        entry.profile_id,
        granted_points=max(entry.points, 0),
        earned_points=0,
        pending_points=0,
        open_points=0,
        expired_points=0,
        earned_at=entry.occurred_at,
        opens_at=entry.occurred_at,
        expires_at=None,
        grace_until=None,
        order_id=entry.order_id,
        rule_version=entry.rule_version,
    )


def _set_terms(lot: Lot, terms: Terms) -> None:
    lot.granted_points = terms.granted_points
    lot.earned_at = terms.earned_at
    lot.opens_at = terms.opens_at
    lot.expires_at = terms.expires_at
    lot.rule_version = terms.rule_version


def gain(account: Account, lots: Iterable[Lot]) -> None:
    """Add new lots to an account that only ever gained: the same as to settle it over all lots."""
    for lot in lots:
        changes_at = lot.expires_at
        if lot.is_waiting and lot.opens_at > account.as_of:
            lot.pending_points = lot.earned_points
            account.pending_points += lot.earned_points
            changes_at = lot.opens_at
        elif lot.expires_at is not None and lot.expires_at <= account.as_of:
            lot.expired_points = lot.earned_points
            account.expired_points += lot.earned_points
            continue
        else:
            lot.open_points = lot.earned_points
            account.open_points += lot.earned_points
        if changes_at is not None and changes_at != NEVER:
            account.due_at = min(account.due_at or NEVER, changes_at)


def overspent(account: Account, lots: Iterable[Lot]) -> int:
    """The part of the debt that no taking back explains: more was spent than was ever granted."""
    taken_back = sum(max(lot.granted_points - lot.earned_points, 0) for lot in lots)
    return max(account.debt_points - taken_back, 0)
