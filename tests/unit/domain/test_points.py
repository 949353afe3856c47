"""Lots, spending and debt of an account."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.domain import points
from hub.domain.points import Account, Entry, Lot
from tests.event_maker import at

PROFILE = b"p" * 16


class Ledger:
    """One account; amounts are entered one after the other."""

    def __init__(self) -> None:
        self.account = Account(PROFILE)
        self.lots: dict[bytes, Lot] = {}
        self._numbers = 0

    def enter(self, kind: str, amount: int, lot: str | None = None, minute: int = 0) -> list[Lot]:
        self._numbers += 1
        entry = Entry(
            self._numbers.to_bytes(16),
            PROFILE,
            kind,
            amount,
            lot.encode().ljust(16) if lot else None,
            None,
            at(minute),
            self._numbers.to_bytes(16),
            "rule",
        )
        return points.post(self.account, self.lots, [entry])

    def open(self) -> dict[str, int]:
        return {lot.decode().strip(): self.lots[lot].open_points for lot in sorted(self.lots)}


@pytest.fixture
def ledger() -> Ledger:
    return Ledger()


def test_what_is_earned_can_be_spent_from_the_oldest_lot_first(ledger: Ledger) -> None:
    ledger.enter("earned", 50, "new", minute=9)
    ledger.enter("earned", 30, "old", minute=1)
    ledger.enter("spent", -40)
    assert ledger.open() == {"old": 0, "new": 40}
    assert (ledger.account.open_points, ledger.account.debt_points) == (40, 0)


def test_the_lot_that_expires_first_is_spent_first(ledger: Ledger) -> None:
    ledger.enter("earned", 50, "never", minute=1)
    ledger.enter("earned", 50, "soon", minute=9)
    ledger.lots[b"soon".ljust(16)].expires_at = at(100)
    ledger.enter("spent", -60)
    assert ledger.open() == {"soon": 0, "never": 40}


def test_refund_of_spent_points_opens_a_debt(ledger: Ledger) -> None:
    ledger.enter("earned", 100, "order")
    ledger.enter("spent", -80)
    ledger.enter("reversed", -100, "order")
    assert (ledger.account.open_points, ledger.account.debt_points) == (0, 80)


def test_the_next_earnings_repay_the_debt(ledger: Ledger) -> None:
    ledger.enter("earned", 100, "order")
    ledger.enter("spent", -80)
    ledger.enter("reversed", -100, "order")
    ledger.enter("earned", 50, "second")
    assert (ledger.account.open_points, ledger.account.debt_points) == (0, 30)
    ledger.enter("earned", 50, "third")
    assert (ledger.account.open_points, ledger.account.debt_points) == (20, 0)


def test_an_order_refunded_in_full_leaves_its_lot_with_nothing(ledger: Ledger) -> None:
    ledger.enter("earned", 100, "order")
    changed = ledger.enter("reversed", -100, "order")
    assert ledger.open() == {"order": 0}
    assert [lot.open_points for lot in changed] == [0]
    assert ledger.account.debt_points == 0


def test_points_taken_back_by_hand_come_from_the_other_lots(ledger: Ledger) -> None:
    ledger.enter("earned", 100, "order")
    ledger.enter("adjusted", -30, "byhand")
    assert ledger.account.open_points == 70
    assert ledger.open() == {"order": 70, "byhand": 0}


def test_points_spent_before_they_are_earned_are_a_debt_until_then(ledger: Ledger) -> None:
    ledger.enter("spent", -40)
    assert ledger.account.debt_points == 40
    ledger.enter("earned", 100, "order")
    assert (ledger.account.open_points, ledger.account.debt_points) == (60, 0)


def test_a_lot_counts_since_its_order_says_not_since_its_first_entry(ledger: Ledger) -> None:
    ledger.enter("earned", 10, "order", minute=1)
    lot_id = b"order".ljust(16)
    correction = Entry(b"c" * 16, PROFILE, "earned", 5, lot_id, None, at(7), b"c" * 16, "rule")
    points.post(ledger.account, ledger.lots, [correction], {lot_id: at(5)})
    assert ledger.lots[lot_id].earned_at == at(5)


ENTRIES = st.lists(
    st.tuples(
        st.sampled_from(["earned", "reversed", "spent", "adjusted", "spent_reversed"]),
        st.sampled_from("abcd"),
        st.integers(0, 50),
    ),
    max_size=15,
)


@given(told=ENTRIES, seed=st.integers(0, 1000))
def test_any_entries_balance_and_end_equal_in_any_order(
    told: list[tuple[str, str, int]], seed: int
) -> None:
    """Against a model that knows sums only: earned by lot, spent in all."""
    entries = []
    for kind, lot, amount in told:
        # What is taken back was given before, and more of it.
        if kind == "reversed":
            entries += [("earned", lot, amount + 1), ("reversed", lot, -amount)]
        elif kind == "spent_reversed":
            entries += [("spent", lot, -amount - 1), ("spent_reversed", lot, amount)]
        elif kind == "adjusted":
            entries.append((kind, lot, amount - 25))
        else:
            entries.append((kind, lot, -amount if kind == "spent" else amount))
    account, open_by_lot = _played(entries)
    random.Random(seed).shuffle(entries)
    assert _played(entries)[1] == open_by_lot

    spent = -sum(amount for kind, _, amount in entries if kind.startswith("spent"))
    earned = {
        lot: sum(a for k, one, a in entries if one == lot and not k.startswith("spent"))
        for lot in "abcd"
    }
    assert account.open_points - account.debt_points == sum(earned.values()) - spent
    assert min(account.open_points, account.debt_points) == 0
    left = spent + sum(-amount for amount in earned.values() if amount < 0)
    for lot in "abcd":  # in the order in which they were earned
        taken = min(max(earned[lot], 0), left)
        left -= taken
        assert open_by_lot.get(lot, 0) == max(earned[lot], 0) - taken
    assert account.debt_points == left
    assert account.issued_points + account.debt_points == (
        account.open_points + account.spent_points + account.reversed_points
    )


def _played(entries: list[tuple[str, str, int]]) -> tuple[Account, dict[str, int]]:
    ledger = Ledger()
    for kind, lot, amount in entries:
        ledger.enter(kind, amount, None if kind.startswith("spent") else lot, "abcd".index(lot))
    return ledger.account, {lot: left for lot, left in ledger.open().items() if lot}
