"""Orders against a small model of their own: a shopkeeper's notes of goods and money.

The model knows nothing of events, folds or effects: it counts pieces and cents as they come and go.
"""

import random
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from hub.domain import orders
from hub.domain.envelope import Event
from tests.event_maker import Shop, at, line

PIECES = {"1": 3, "2": 2}
SKU = {"1": "cake", "2": "candle"}
TOTAL = 3 * 3000 + 2 * 550
LINES = [line(1, "cake", 3, "30.00"), line(2, "candle", 2, "5.50")]
some_line = st.sampled_from(sorted(PIECES))
some_pieces = st.integers(1, 4)
some_cents = st.integers(1, TOTAL)


class Notes:
    """What a shopkeeper would write down of one order."""

    def __init__(self) -> None:
        self.left = dict(PIECES)
        self.out = dict.fromkeys(PIECES, 0)
        self.back = dict.fromkeys(PIECES, 0)
        self.paid = self.refunded = 0
        self.on_its_way: dict[str, int] = {}
        self.is_off = False

    @property
    def is_over(self) -> bool:
        """Nothing is left to give out and something was: no calling off any more."""
        return not any(self.left.values())

    def give(self, name: str, pieces: int) -> None:
        given = min(pieces, self.left[name])
        self.left[name] -= given
        self.out[name] += given

    def call_off(self) -> None:
        if not self.is_off and not self.is_over:
            self.is_off = True

    def call_off_some(self, name: str, pieces: int) -> None:
        if self.is_off or self.is_over:
            return
        self.left[name] -= min(pieces, self.left[name])
        if self.is_over and not any(self.out.values()):
            self.is_off = True

    def take_back(self, name: str, pieces: int) -> None:
        self.back[name] += min(pieces, self.out[name] - self.back[name])

    def may_refund(self, cents: int, beside: str = "") -> bool:
        others = sum(n for name, n in self.on_its_way.items() if name != beside)
        return self.refunded + others + cents <= self.paid


class OrderMachine(RuleBasedStateMachine):
    """Posts events, and keeps the notes as the shopkeeper would."""

    def __init__(self) -> None:
        super().__init__()
        self.shop = Shop()
        self.notes = Notes()
        self.events: list[Event] = []
        self.minute = 0
        content = {"currency": "CNY", "lines": LINES, "total": "101.00", "place": "xuhui"}
        self.post("order.placed", **content)

    def post(self, kind: str, /, **data: Any) -> None:
        self.minute += 1
        self.events.append(self.shop.event(kind, self.minute, order_number="n", **data))

    @rule(cents=some_cents)
    def pay(self, cents: int) -> None:
        money = {"amount": _yuan(cents), "currency": "CNY", "method": "wx"}
        self.post("order.paid", **money, payment_id=f"p-{self.minute}")
        self.notes.paid += cents

    @rule(name=some_line, pieces=some_pieces)
    def ship(self, name: str, pieces: int) -> None:
        self.post("order.shipped", lines=[{"line": name, "quantity": str(pieces)}])
        self.notes.give(name, pieces)

    @rule()
    def cancel(self) -> None:
        self.post("order.cancelled")
        self.notes.call_off()

    @rule(name=some_line, pieces=some_pieces)
    def cancel_some(self, name: str, pieces: int) -> None:
        self.post("order.cancelled", lines=[{"line": name, "quantity": str(pieces)}])
        self.notes.call_off_some(name, pieces)

    # What went out later must not make an earlier return count: the shop tells them in turn.
    @precondition(lambda self: any(self.notes.out.values()))
    @rule(name=some_line, pieces=some_pieces)
    def take_back(self, name: str, pieces: int) -> None:
        if self.notes.out[name] == self.notes.back[name]:
            return
        lines = [{"line": name, "quantity": str(pieces)}]
        self.post("return.received", lines=lines)
        self.notes.take_back(name, pieces)

    @rule(cents=some_cents)
    def ask_refund(self, cents: int) -> None:
        # One beyond what was paid would wait for a later payment: the shop asks within it.
        if not self.notes.may_refund(cents):
            return
        name = f"r-{self.minute}"
        money = {"amount": _yuan(cents), "currency": "CNY"}
        self.post("refund.processing", **money, refund_id=name)
        self.notes.on_its_way[name] = cents

    @precondition(lambda self: self.notes.on_its_way)
    @rule(is_paid_out=st.booleans())
    def end_refund(self, is_paid_out: bool) -> None:
        name, cents = self.notes.on_its_way.popitem()
        if is_paid_out:
            money = {"amount": _yuan(cents), "currency": "CNY"}
            self.post("refund.succeeded", **money, refund_id=name)
            self.notes.refunded += cents
        else:
            self.post("refund.failed", refund_id=name)

    @invariant()
    def the_books_are_the_shopkeepers(self) -> None:
        shuffled = random.Random(len(self.events)).sample(self.events, len(self.events))
        folded = orders.fold(shuffled)
        state, notes = folded.state, self.notes
        assert {n: state.fulfilled_milli.get(n, 0) // 1000 for n in PIECES} == notes.out
        assert {n: state.returned_milli.get(n, 0) // 1000 for n in PIECES} == notes.back
        assert (state.paid_minor, state.refunded_minor) == (notes.paid, notes.refunded)
        assert state.refunding_minor == sum(notes.on_its_way.values())
        assert (state.cancelled_at is not None) == notes.is_off
        for name, sku in SKU.items():
            moves = [move for (_, item, _), move in folded.stock.items() if item == sku]
            held = 0 if notes.is_off else notes.left[name]
            assert sum(move.committed_milli for move in moves) == held * 1000
            gone = notes.out[name] - notes.back[name]
            assert sum(move.on_hand_milli for move in moves) == -gone * 1000
        assert state.placed_at == at(1)


def _yuan(cents: int) -> str:
    return f"{cents // 100}.{cents % 100:02d}"


TestOrderMachine = OrderMachine.TestCase
TestOrderMachine.settings = settings(max_examples=40, stateful_step_count=25, deadline=None)
