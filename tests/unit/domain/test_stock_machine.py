"""A stock item against a storekeeper who writes everything down and adds it up anew each time:
whatever is told, in whatever order."""

import random

from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from msgspec import Struct

from hub.domain import overselling, stock, stock_data
from hub.domain.overselling import Claim, Policy
from hub.domain.stock import Change, Count, Position
from tests.event_maker import Shop, at

MINUTES = st.integers(0, 9)
"""Few, so that much happens at the same moment."""
QUANTITIES = st.integers(0, 6)
ERP = Shop("erp", "main")


class Note(Struct, frozen=True):
    """What the storekeeper writes down: on hand, promised, aside and on its way, in whole units."""

    minute: int
    on_hand: int = 0
    promised: int = 0
    aside: int = 0
    incoming: int = 0


class StockMachine(RuleBasedStateMachine):
    """Tells the position and the storekeeper the same."""

    def __init__(self) -> None:
        super().__init__()
        self.position = Position("cake", "s1")
        self.movements: list[Change] = []
        self.notes: list[Note] = []
        self.counts: list[tuple[int, bytes, int]] = []
        self.told = 0

    def _key(self) -> bytes:
        self.told += 1
        return self.told.to_bytes(16)

    def _tell(self, kind: str, minute: int, note: Note, **data: str) -> None:
        event = ERP.event(f"stock.{kind}", minute, sku="cake", **data)
        deltas = getattr(event.data, "deltas", event.data)
        for change in stock_data.changes(event, deltas):
            if change.place == "s1":
                self.movements += stock.change(self.position, change)
        self.notes.append(note)

    @rule(minute=MINUTES, quantity=QUANTITIES)
    def goods_come(self, minute: int, quantity: int) -> None:
        self._tell("received", minute, Note(minute, quantity), place="s1", quantity=str(quantity))

    @rule(minute=MINUTES, quantity=QUANTITIES)
    def goods_are_damaged(self, minute: int, quantity: int) -> None:
        self._tell("damaged", minute, Note(minute, -quantity), place="s1", quantity=str(quantity))

    @rule(minute=MINUTES, quantity=QUANTITIES)
    def goods_are_blocked(self, minute: int, quantity: int) -> None:
        note = Note(minute, aside=quantity)
        self._tell("blocked", minute, note, place="s1", quantity=str(quantity))

    @rule(minute=MINUTES, good=QUANTITIES, gone=QUANTITIES)
    def goods_are_inspected(self, minute: int, good: int, gone: int) -> None:
        note = Note(minute, -gone, aside=-good - gone)
        data = {"quantity": str(good), "written_off": str(gone)}
        self._tell("inspected", minute, note, place="s1", **data)

    @rule(minute=MINUTES, quantity=QUANTITIES, step=st.sampled_from(["arrived", "lost"]))
    def goods_end_their_way(self, minute: int, quantity: int, step: str) -> None:
        note = Note(minute, quantity if step == "arrived" else 0, incoming=-quantity)
        data = {"transfer_id": "T1", "to_place": "s1", "quantity": str(quantity)}
        self._tell(step, minute, note, **data)

    @rule(minute=MINUTES, quantity=QUANTITIES, is_away=st.booleans())
    def goods_set_out(self, minute: int, quantity: int, *, is_away: bool) -> None:
        ways = ("s1", "w1") if is_away else ("w1", "s1")
        note = Note(minute, -quantity) if is_away else Note(minute, incoming=quantity)
        data = {"transfer_id": "T1", "from_place": ways[0], "to_place": ways[1]}
        self._tell("dispatched", minute, note, **data, quantity=str(quantity))

    @rule(minute=MINUTES, quantity=QUANTITIES, is_given=st.booleans())
    def an_order_takes_goods(self, minute: int, quantity: int, *, is_given: bool) -> None:
        key = self._key()
        out = quantity * is_given
        promised = quantity - out
        wanted = Change("cake", "s1", "issued", -out * 1000, promised * 1000, at(minute), key, key)
        self.movements += stock.change(self.position, wanted)
        self.notes.append(Note(minute, -out, promised))

    @rule(minute=MINUTES, quantity=QUANTITIES)
    def somebody_counts(self, minute: int, quantity: int) -> None:
        key = self._key()
        since = sum(
            m.on_hand_milli
            for m in self.movements
            if m.occurred_at > at(minute) and m.kind not in stock.ADJUSTING
        )
        counted = Count("cake", "s1", quantity * 1000, at(minute), key)
        movement = stock.count(self.position, counted, since)
        if movement is not None:
            self.movements.append(movement)
        self.counts.append((minute, key, quantity))

    @invariant()
    def position_is_what_the_storekeeper_adds_up(self) -> None:
        counted_at, _, start = max(self.counts, default=(-1, b"", 0))
        on_hand = start + sum(n.on_hand for n in self.notes if n.minute > counted_at)
        promised = sum(n.promised for n in self.notes)
        aside = sum(n.aside for n in self.notes)
        p = self.position
        assert (p.on_hand_milli, p.committed_milli) == (on_hand * 1000, promised * 1000)
        assert p.unavailable_milli == aside * 1000
        assert p.incoming_milli == sum(n.incoming for n in self.notes) * 1000
        assert p.available_milli == (on_hand - promised - aside) * 1000
        assert p.is_oversold == (bool(self.counts) and on_hand - promised - aside < 0)

    @invariant()
    def position_is_the_sum_of_its_movements(self) -> None:
        assert self.position.on_hand_milli == sum(m.on_hand_milli for m in self.movements)
        assert self.position.committed_milli == sum(m.committed_milli for m in self.movements)


TestStockMachine = StockMachine.TestCase


def claim(number: int, minute: int, quantity: int, *, is_promised: bool) -> Claim:
    key = number.to_bytes(16)
    return Claim(key, "web", "1", f"W{number}", quantity * 1000, at(minute), is_promised)


CLAIMS = st.lists(st.tuples(MINUTES, st.integers(1, 6), st.booleans()), max_size=8)


@given(CLAIMS, st.integers(0, 12), st.randoms())
def test_who_gets_the_goods_is_the_same_in_whatever_order_the_orders_came(
    told: list[tuple[int, int, bool]], there: int, chance: random.Random
) -> None:
    claims = [claim(n, minute, q, is_promised=p) for n, (minute, q, p) in enumerate(told)]
    chosen, short = overselling.share(claims, there * 1000, Policy())
    assert sum(one.quantity_milli for one in chosen) <= there * 1000
    assert sorted(one.order_id for one in chosen + short) == [one.order_id for one in claims]
    chance.shuffle(claims)
    assert overselling.share(claims, there * 1000, Policy()) == (chosen, short)


def test_an_order_that_fits_is_chosen_where_an_earlier_one_does_not() -> None:
    first, second = claim(1, 1, 3, is_promised=False), claim(2, 2, 2, is_promised=False)
    assert overselling.share([second, first], 2000, Policy()) == ([second], [first])
