"""Lots, spending and debt of an account. Against a model of single points: test_points_model."""

import pytest
from msgspec.structs import replace

from hub.domain.points import Account, Entry, Lot, Step, gain, overspent
from hub.domain.settling import post, settle
from tests.event_maker import at

PROFILE = b"p" * 16


class Ledger:
    """One account; amounts are entered one after the other."""

    def __init__(self) -> None:
        self.account = Account(PROFILE)
        self.lots: dict[bytes, Lot] = {}
        self.steps: list[Step] = []
        self._numbers = 0

    def enter(self, kind: str, amount: int, lot: str | None = None, minute: int = 0) -> list[Lot]:
        self._numbers += 1
        use_id = b"u" * 16 if kind in ("spent", "returned") else None
        if use_id is not None:
            self.steps.append(Step(use_id, at(minute), amount))
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
            use_id=use_id,
        )
        return post(self.account, self.lots, [entry], self.steps)

    def close(self, minute: int) -> None:
        """Close the days until then."""
        self.account.settled_at = max(self.account.settled_at, at(minute))
        settle(self.account, self.lots, self.steps)

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
    ledger.enter("spent", -60, minute=10)
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


def test_pending_points_open_when_the_day_they_wait_for_is_closed(ledger: Ledger) -> None:
    ledger.enter("earned", 50, "order")
    ledger.lots[b"order".ljust(16)].opens_at = at(60)
    ledger.close(59)
    assert (ledger.account.pending_points, ledger.account.open_points) == (50, 0)
    assert ledger.account.due_at == at(60)
    ledger.close(60)
    assert (ledger.account.pending_points, ledger.account.open_points) == (0, 50)
    assert ledger.account.due_at is None


def test_what_is_left_of_a_lot_expires_when_its_day_is_closed(ledger: Ledger) -> None:
    ledger.enter("earned", 50, "order")
    ledger.lots[b"order".ljust(16)].expires_at = at(60)
    ledger.enter("spent", -20, minute=10)
    ledger.close(60)
    assert (ledger.account.open_points, ledger.account.expired_points) == (0, 30)


def test_days_closed_twice_or_skipped_end_in_the_same_account(ledger: Ledger) -> None:
    other = Ledger()
    for one, days in ((ledger, (30, 60, 60, 90, 60)), (other, (90,))):
        one.enter("earned", 50, "order")
        one.lots[b"order".ljust(16)].expires_at = at(60)
        one.enter("earned", 20, "second", minute=5)
        one.lots[b"second".ljust(16)].opens_at = at(70)
        for minute in days:
            one.close(minute)
    assert ledger.account == other.account
    assert ledger.lots == other.lots


def test_points_spent_in_time_that_are_told_late_did_not_expire(ledger: Ledger) -> None:
    ledger.enter("earned", 50, "order")
    ledger.lots[b"order".ljust(16)].expires_at = at(60)
    ledger.close(90)
    assert ledger.account.expired_points == 50
    ledger.enter("spent", -30, minute=59)
    assert (ledger.account.expired_points, ledger.account.debt_points) == (20, 0)


def test_points_spent_after_they_expired_are_a_debt(ledger: Ledger) -> None:
    ledger.enter("earned", 50, "order")
    ledger.lots[b"order".ljust(16)].expires_at = at(60)
    ledger.enter("spent", -30, minute=60)
    assert (ledger.account.expired_points, ledger.account.debt_points) == (50, 30)


def test_points_that_come_back_keep_their_original_end(ledger: Ledger) -> None:
    ledger.enter("earned", 50, "order")
    ledger.lots[b"order".ljust(16)].expires_at = at(60)
    ledger.enter("spent", -50, minute=10)
    ledger.enter("returned", 20, minute=20)
    assert ledger.account.open_points == 20
    assert ledger.lots[b"order".ljust(16)].grace_until is None
    ledger.close(60)
    assert (ledger.account.open_points, ledger.account.expired_points) == (0, 20)


def test_points_that_come_back_after_their_end_get_a_grace_period(ledger: Ledger) -> None:
    ledger.enter("earned", 50, "order")
    lot = ledger.lots[b"order".ljust(16)]
    lot.expires_at = at(60)
    ledger.enter("spent", -30, minute=10)
    ledger.enter("returned", 30, minute=90)
    assert (ledger.account.open_points, ledger.account.expired_points) == (30, 20)
    assert lot.grace_until is not None
    assert at(90 + 30 * 1440) < lot.grace_until <= at(90 + 31 * 1440)
    ledger.close(31 * 1440 + 90)
    assert (ledger.account.open_points, ledger.account.expired_points) == (0, 50)


def test_a_debt_after_a_refund_is_no_overspending(ledger: Ledger) -> None:
    ledger.enter("earned", 100, "order")
    ledger.enter("spent", -80)
    ledger.enter("reversed", -100, "order")
    assert overspent(ledger.account, ledger.lots.values()) == 0
    ledger.enter("spent", -30, minute=9)
    assert ledger.account.debt_points == 110
    assert overspent(ledger.account, ledger.lots.values()) == 10


def test_an_account_that_only_gained_needs_only_its_new_lots(ledger: Ledger) -> None:
    """The shortcut and the whole story come to the same."""
    # The last one ends before it opens: nothing is due until it does.
    terms = [(0, None), (60, None), (0, 90), (60, 90), (0, 5), (60, 40)]
    for number, (opens, expires) in enumerate(terms):
        ledger.enter("earned", 10, f"lot-{number}")
        lot = ledger.lots[f"lot-{number}".encode().ljust(16)]
        lot.opens_at, lot.expires_at = at(opens), at(expires) if expires else None
    ledger.close(30)
    shortcut = Account(PROFILE, issued_points=60, settled_at=at(30))
    lots = [replace(lot) for lot in ledger.lots.values()]
    for lot in lots:
        lot.pending_points = lot.open_points = lot.expired_points = 0
    gain(shortcut, lots)
    assert shortcut == ledger.account
    assert lots == list(ledger.lots.values())


def test_a_lot_that_opens_at_once_does_not_move_the_clock_by_which_others_expire(
    ledger: Ledger,
) -> None:
    """However the account is told, nothing expires before its day is closed."""
    ledger.enter("earned", 10, "old", minute=0)
    ledger.lots[b"old".ljust(16)].expires_at = at(5)
    ledger.enter("adjusted", 1, "byhand", minute=60)
    assert (ledger.account.open_points, ledger.account.expired_points) == (11, 0)
    ledger.close(60)
    assert (ledger.account.open_points, ledger.account.expired_points) == (1, 10)
