"""Points: lots, spending and debt of one account. Pure; whole points only.

Spending takes the lot that expires first. Which lot that was is not remembered: it follows from the
lots and from what was spent in all, so any order of arrival ends with the same open lots. What is
spent or taken back beyond the lots is a debt, which the next earnings repay.
"""

from collections.abc import Mapping
from copy import copy
from datetime import UTC, datetime
from types import MappingProxyType

from msgspec import Struct

from hub.domain.ids import Key

NEVER = datetime(9999, 12, 31, tzinfo=UTC)
NO_TIMES: Mapping[Key, datetime] = MappingProxyType({})


class Lot(Struct):
    """Points earned together. earned_points is what is left of the earning after reversals."""

    lot_id: Key
    profile_id: Key
    earned_points: int
    open_points: int
    earned_at: datetime
    expires_at: datetime | None
    order_id: Key | None
    rule_version: str


class Entry(Struct, gc=False, frozen=True):
    """One line of the ledger: points > 0 add to the balance, < 0 take from it."""

    entry_id: Key
    profile_id: Key
    kind: str
    points: int
    lot_id: Key | None
    order_id: Key | None
    occurred_at: datetime
    event_key: Key
    rule_version: str


class Account(Struct):
    """Totals of one profile. Shown balance = open - debt."""

    profile_id: Key
    issued_points: int = 0
    spent_points: int = 0
    expired_points: int = 0
    reversed_points: int = 0
    pending_points: int = 0
    held_points: int = 0
    open_points: int = 0
    debt_points: int = 0


def post(
    account: Account,
    lots: dict[Key, Lot],
    entries: list[Entry],
    earned_at: Mapping[Key, datetime] = NO_TIMES,
) -> list[Lot]:
    """Enter `entries` into the account and settle; the lots that changed.

    lots: all lots of the account by id, changed in place; an earning for an unknown lot opens it.
    earned_at: since when a lot counts, where that is known better than by its first entry: entries
    may correct what came too early.
    """
    before = {lot.lot_id: copy(lot) for lot in lots.values()}
    for entry in entries:
        _enter(account, lots, entry)
        if entry.lot_id is not None and entry.lot_id in earned_at:
            lots[entry.lot_id].earned_at = earned_at[entry.lot_id]
    _settle(account, lots)
    return [lot for lot in lots.values() if before.get(lot.lot_id) != lot]


def _enter(account: Account, lots: dict[Key, Lot], entry: Entry) -> None:
    if entry.kind in ("spent", "spent_reversed"):
        account.spent_points -= entry.points
        return
    if entry.points >= 0:
        account.issued_points += entry.points
    else:
        account.reversed_points -= entry.points
    lot_id = entry.lot_id or entry.entry_id
    lot = lots.get(lot_id)
    if lot is None:
        lots[lot_id] = Lot(
            lot_id,
            entry.profile_id,
            entry.points,
            0,
            entry.occurred_at,
            None,
            entry.order_id,
            entry.rule_version,
        )
    else:
        lot.earned_points += entry.points


def _settle(account: Account, lots: dict[Key, Lot]) -> None:
    """Give spending and shortfalls to lots, first-expiring first; the rest is debt."""
    short = sum(-lot.earned_points for lot in lots.values() if lot.earned_points < 0)
    to_take = account.spent_points + short
    by_expiry = sorted(
        lots.values(), key=lambda lot: (lot.expires_at or NEVER, lot.earned_at, lot.lot_id)
    )
    opened = 0
    for lot in by_expiry:
        earned = max(lot.earned_points, 0)
        taken = min(earned, to_take)
        to_take -= taken
        lot.open_points = earned - taken
        opened += lot.open_points
    account.open_points = opened
    account.debt_points = to_take
