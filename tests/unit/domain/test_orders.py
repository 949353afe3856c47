"""The fold of an order: what each event does, and that no order of arrival changes it."""

import random
from collections import defaultdict
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.domain import orders
from hub.domain.envelope import Event, Outcome
from hub.domain.orders import Folded
from tests.event_maker import Shop, at, line

SKUS = ("cake", "candle")


class Story:
    """The events of one order as they are posted; each method names what happened."""

    def __init__(self) -> None:
        self.shop = Shop()
        self.events: list[Event] = []

    def post(self, kind: str, minute: float, /, **data: Any) -> Event:
        self.events.append(self.shop.event(kind, minute, order_number="n-1", **data))
        return self.events[-1]

    def placed(self, minute: float = 0, **more: Any) -> Event:
        """Two cakes at 30.00 and a candle at 5.50, for pick-up at xuhui, by account a."""
        data: dict[str, Any] = {
            "currency": "CNY",
            "lines": [line(1, "cake", 2, "30.00"), line(2, "candle", 1, "5.50")],
            "total": "65.50",
            "place": "xuhui",
            "buyer": {"account": "a"},
        }
        return self.post(more.pop("kind", "order.placed"), minute, **(data | more))

    def paid(self, minute: float, amount: str = "65.50", payment: str = "p-1") -> Event:
        data = {"amount": amount, "currency": "CNY", "method": "wx", "payment_id": payment}
        return self.post("order.paid", minute, **data)

    def refunded(self, minute: float, amount: str, refund: str = "r-1") -> Event:
        data = {"amount": amount, "currency": "CNY", "refund_id": refund}
        return self.post("refund.succeeded", minute, **data)

    def returned(self, minute: float, quantity: str, **more: Any) -> Event:
        lines = [{"line": "1", "quantity": quantity}]
        return self.post("return.received", minute, lines=lines, **more)

    def fold(self) -> Folded:
        return orders.fold(self.events)


@pytest.fixture
def story() -> Story:
    return Story()


def stock(folded: Folded) -> dict[tuple[str, str], tuple[int, int]]:
    """(on hand, committed) by item and place in whole units, without those left at nothing."""
    sums: dict[tuple[str, str], list[int]] = defaultdict(lambda: [0, 0])
    for (_, sku, place), effect in folded.stock.items():
        sums[sku, place][0] += effect.on_hand_milli // 1000
        sums[sku, place][1] += effect.committed_milli // 1000
    return {key: (on_hand, held) for key, (on_hand, held) in sums.items() if on_hand or held}


def points(folded: Folded) -> dict[str, int]:
    sums: dict[str, int] = defaultdict(int)
    for (_, account), (earned, _) in folded.points.items():
        sums[account] += earned
    return {account: earned for account, earned in sums.items() if earned}


def outcome(folded: Folded, event: Event) -> tuple[Outcome, str | None]:
    verdict = folded.verdicts[event.key]
    return verdict.outcome, verdict.waits_for


APPLIED, IGNORED = (Outcome.APPLIED, None), (Outcome.IGNORED, None)


def waits_for(kind: str) -> tuple[Outcome, str]:
    return Outcome.PARKED, kind


def test_a_placed_order_commits_its_goods_and_earns_nothing_yet(story: Story) -> None:
    story.placed()
    folded = story.fold()
    assert stock(folded) == {("cake", "xuhui"): (0, 2), ("candle", "xuhui"): (0, 1)}
    assert points(folded) == {}
    assert (folded.state.status, folded.state.payment_status) == ("open", "unpaid")


def test_paid_before_placed_is_parked_and_applied_once_it_was_placed(story: Story) -> None:
    paid = story.paid(5)
    assert outcome(story.fold(), paid) == waits_for("order.placed")
    assert story.fold().state.paid_minor == 0
    story.placed(6)  # its clock runs ahead, too
    folded = story.fold()
    assert outcome(folded, paid) == APPLIED
    assert folded.state.payment_status == "paid"
    assert points(folded) == {"a": 65}


def test_every_permutation_of_an_orders_events_ends_equal(story: Story) -> None:
    story.placed()
    story.paid(5)
    story.post("order.picked_up", 9)
    story.returned(20, "1")
    story.refunded(21, "30.00")
    story.post("order.cancelled", 30)
    wanted = story.fold()
    for arrived in permutations(story.events):
        folded = orders.fold(list(arrived))
        assert folded == wanted


def test_an_order_placed_again_under_a_new_id_is_ignored(story: Story) -> None:
    story.placed()
    again = story.placed(1, total="30.00", lines=[line(1, "cake", 1, "30.00")])
    folded = story.fold()
    assert outcome(folded, again) == IGNORED
    assert folded.state.content is not None
    assert folded.state.content.total_minor == 6550


def test_a_payment_known_under_another_event_id_counts_once(story: Story) -> None:
    story.placed()
    story.paid(1, "65.50", "p-1")
    again = story.paid(2, "65.50", "p-1")
    folded = story.fold()
    assert outcome(folded, again) == IGNORED
    assert folded.state.paid_minor == 6550


def test_an_order_paid_in_two_parts_earns_when_it_is_paid_in_full(story: Story) -> None:
    story.placed()
    story.paid(1, "60.00", "p-1")
    assert story.fold().state.payment_status == "partially_paid"
    assert points(story.fold()) == {}
    story.paid(2, "5.50", "p-2")
    assert story.fold().state.paid_at == at(2)
    assert points(story.fold()) == {"a": 65}


def test_a_payment_in_another_currency_is_ignored(story: Story) -> None:
    story.placed()
    data = {"amount": "65.50", "currency": "USD", "method": "card", "payment_id": "p-9"}
    paid = story.post("order.paid", 1, **data)
    assert outcome(story.fold(), paid) == IGNORED
    assert story.fold().state.paid_minor == 0


def test_a_cancelled_order_lets_its_goods_go(story: Story) -> None:
    story.placed()
    story.post("order.cancelled", 1)
    folded = story.fold()
    assert stock(folded) == {}
    assert folded.state.status == "cancelled"


@pytest.mark.parametrize("kind", ["order.completed", "order.picked_up", "order.shipped"])
def test_a_cancellation_after_the_goods_went_out_is_ignored(story: Story, kind: str) -> None:
    story.placed()
    story.post(kind, 5)
    cancelled = story.post("order.cancelled", 6)
    folded = story.fold()
    assert outcome(folded, cancelled) == IGNORED
    assert stock(folded) == {("cake", "xuhui"): (-2, 0), ("candle", "xuhui"): (-1, 0)}
    assert folded.state.cancelled_at is None


def test_goods_go_out_in_parts_and_never_above_what_was_ordered(story: Story) -> None:
    story.placed()
    story.post("order.shipped", 1, lines=[{"line": "1", "quantity": "1"}])
    assert story.fold().state.fulfilment_status == "partially_fulfilled"
    story.post("order.shipped", 2, lines=[{"line": "1", "quantity": "9"}])
    folded = story.fold()
    assert folded.state.fulfilled_milli == {"1": 2000}
    assert stock(folded) == {("cake", "xuhui"): (-2, 0), ("candle", "xuhui"): (0, 1)}


def test_goods_picked_up_elsewhere_leave_the_other_stores_stock(story: Story) -> None:
    story.placed()
    story.post("order.picked_up", 5, place="pudong")
    expected = {("cake", "pudong"): (-2, 0), ("candle", "pudong"): (-1, 0)}
    assert stock(story.fold()) == expected


def test_a_changed_pick_up_moves_what_is_committed(story: Story) -> None:
    story.placed()
    story.post("order.shipped", 1, lines=[{"line": "1", "quantity": "1"}])
    story.post("order.pickup_changed", 2, place="pudong")
    assert stock(story.fold()) == {
        ("cake", "xuhui"): (-1, 0),
        ("cake", "pudong"): (0, 1),
        ("candle", "pudong"): (0, 1),
    }


def test_a_completed_order_gives_out_what_is_left(story: Story) -> None:
    story.placed()
    story.post("order.completed", 9)
    folded = story.fold()
    assert folded.state.fulfilment_status == "fulfilled"
    assert stock(folded) == {("cake", "xuhui"): (-2, 0), ("candle", "xuhui"): (-1, 0)}


def test_an_amended_order_commits_its_new_lines_alone(story: Story) -> None:
    story.placed()
    story.placed(3, kind="order.amended", lines=[line(7, "candle", 4, "5.50")], total="22.00")
    folded = story.fold()
    assert stock(folded) == {("candle", "xuhui"): (0, 4)}
    assert folded.state.content is not None
    assert [one.line for one in folded.state.content.lines] == ["7"]


def test_an_amendment_without_place_and_buyer_keeps_both(story: Story) -> None:
    story.placed()
    story.placed(3, kind="order.amended", place=None, buyer=None)
    story.paid(4)
    folded = story.fold()
    assert folded.state.place == "xuhui"
    assert points(folded) == {"a": 65}


def test_an_order_that_changes_its_buyer_takes_its_points_along(story: Story) -> None:
    story.placed()
    story.paid(1)
    story.placed(2, kind="order.amended", buyer={"account": "b"})
    assert points(story.fold()) == {"b": 65}


def test_an_order_cancelled_at_the_last_second_earns_nothing(story: Story) -> None:
    story.placed()
    story.paid(1)
    assert points(story.fold()) == {"a": 65}
    story.post("order.cancelled", 2)
    assert points(story.fold()) == {}


def test_an_amendment_after_goods_went_out_is_ignored(story: Story) -> None:
    story.placed()
    story.post("order.shipped", 1, lines=[{"line": "1", "quantity": "1"}])
    amended = story.placed(2, kind="order.amended")
    assert outcome(story.fold(), amended) == IGNORED


def test_a_return_with_restock_brings_the_goods_back(story: Story) -> None:
    story.placed()
    story.post("order.completed", 1)
    story.returned(2, "1")
    folded = story.fold()
    assert stock(folded)["cake", "xuhui"] == (-1, 0)
    assert folded.state.return_status == "partly_returned"


def test_a_return_without_restock_leaves_the_stock_as_it_is(story: Story) -> None:
    story.placed()
    story.post("order.completed", 1)
    story.returned(2, "1", restock=False)
    folded = story.fold()
    assert stock(folded)["cake", "xuhui"] == (-2, 0)
    assert folded.state.returned_milli == {"1": 1000}


def test_no_more_comes_back_than_went_out(story: Story) -> None:
    story.placed()
    story.post("order.completed", 1)
    story.returned(2, "5")
    again = story.returned(3, "1")
    folded = story.fold()
    assert folded.state.returned_milli == {"1": 2000}
    assert outcome(folded, again) == IGNORED


def test_a_return_before_the_goods_went_out_is_parked(story: Story) -> None:
    story.placed()
    returned = story.returned(2, "1")
    assert outcome(story.fold(), returned) == waits_for("order.shipped")


def test_a_refund_takes_its_points_back_and_nothing_into_stock(story: Story) -> None:
    story.placed()
    story.paid(1)
    story.post("order.completed", 2)
    before = stock(story.fold())
    story.refunded(3, "30.00")
    folded = story.fold()
    assert stock(folded) == before
    assert points(folded) == {"a": 35}
    assert folded.state.payment_status == "partially_refunded"


def test_refunds_in_parts_take_back_exactly_what_was_earned(story: Story) -> None:
    story.placed()
    story.paid(1)
    for number, amount in enumerate(("21.84", "21.83", "21.83"), start=1):
        story.refunded(1 + number, amount, f"r-{number}")
    folded = story.fold()
    assert points(folded) == {}
    assert folded.state.payment_status == "refunded"


def test_a_refund_above_what_was_paid_is_parked_and_changes_nothing(story: Story) -> None:
    story.placed()
    story.paid(1)
    story.refunded(2, "60.00", "r-1")
    above = story.refunded(3, "5.51", "r-2")
    folded = story.fold()
    assert outcome(folded, above) == waits_for("order.paid")
    assert folded.state.refunded_minor == 6000
    assert points(folded) == {"a": 5}


def test_a_refund_before_any_payment_is_parked(story: Story) -> None:
    story.placed()
    refund = story.refunded(1, "1.00")
    assert outcome(story.fold(), refund) == waits_for("order.paid")
    assert story.fold().state.refunded_minor == 0


def test_a_refund_whose_clock_runs_before_its_payments_is_applied_all_the_same(
    story: Story,
) -> None:
    story.placed()
    refund = story.refunded(4, "10.00")
    story.paid(5)
    folded = story.fold()
    assert outcome(folded, refund) == APPLIED
    assert folded.state.refunded_minor == 1000
    assert points(folded) == {"a": 55}


def test_a_return_whose_clock_runs_before_the_shipping_is_applied_all_the_same(
    story: Story,
) -> None:
    story.placed()
    returned = story.returned(4, "1")
    story.post("order.shipped", 5)
    folded = story.fold()
    assert outcome(folded, returned) == APPLIED
    assert stock(folded)["cake", "xuhui"] == (-1, 0)


def test_the_same_refund_twice_counts_once(story: Story) -> None:
    story.placed()
    story.paid(1)
    story.refunded(2, "10.00", "r-1")
    again = story.refunded(3, "10.00", "r-1")
    assert outcome(story.fold(), again) == IGNORED
    assert story.fold().state.refunded_minor == 1000


def test_yen_earn_a_point_each_and_dinars_by_the_thousand_fils(story: Story) -> None:
    for currency, total, earned in (("JPY", "1200", 1200), ("KWD", "1.999", 1)):
        other = Story()
        lines = [line(1, "cake", 1, "1") | {"amount": total, "unit_price": total}]
        other.placed(currency=currency, total=total, lines=lines)
        data = {"amount": total, "currency": currency, "method": "wx", "payment_id": "p"}
        other.post("order.paid", 1, **data)
        assert points(other.fold()) == {"a": earned}


def test_a_buyer_without_an_account_earns_nothing(story: Story) -> None:
    story.placed(buyer=None)
    story.paid(1)
    assert points(story.fold()) == {}


def test_the_channels_own_sequence_counts_more_than_its_clock(story: Story) -> None:
    story.placed(0, sequence="1")
    story.post("order.pickup_changed", 9, place="pudong", sequence="2")
    story.post("order.pickup_changed", 3, place="store-3", sequence="3")
    assert story.fold().state.place == "store-3"


STEPS = st.lists(
    st.tuples(
        st.sampled_from(
            ["placed", "amended", "paid", "refund", "ship", "return", "move", "cancel", "complete"]
        ),
        st.integers(0, 6),
        st.integers(1, 4),
    ),
    max_size=10,
)


def _told(steps: list[tuple[str, int, int]]) -> Story:
    story = Story()
    for kind, minute, number in steps:
        some = [{"line": "1", "quantity": str(number)}]
        if kind in ("placed", "amended"):
            lines = [line(1, SKUS[number % 2], number, "10.00")]
            account = {"account": f"a-{number % 2}"} if number < 4 else None
            more = {"lines": lines, "total": f"{number}0.00", "buyer": account}
            story.placed(minute, kind=f"order.{kind}", place=f"place-{number % 3}", **more)
        elif kind == "paid":
            story.paid(minute, f"{number * 7}.50", f"p-{number}")
        elif kind == "refund":
            story.refunded(minute, f"{number * 4}.40", f"r-{number}")
        elif kind == "ship":
            story.post("order.shipped", minute, lines=some)
        elif kind == "return":
            story.returned(minute, str(number), restock=number < 3)
        elif kind == "move":
            story.post("order.pickup_changed", minute, place=f"place-{number % 3}")
        else:
            story.post(f"order.{'cancelled' if kind == 'cancel' else 'completed'}", minute)
    return story


@given(steps=STEPS, seed=st.integers(0, 1000))
def test_any_story_told_in_any_order_ends_equal(
    steps: list[tuple[str, int, int]], seed: int
) -> None:
    story = _told(steps)
    wanted = story.fold()
    random.Random(seed).shuffle(story.events)
    assert story.fold() == wanted


@given(steps=STEPS)
def test_whatever_happens_an_orders_books_balance(steps: list[tuple[str, int, int]]) -> None:
    """Its effects, added up, are what its state says by itself."""
    story = _told(steps)
    folded = story.fold()
    state = folded.state
    assert 0 <= state.refunded_minor <= state.paid_minor
    assert set(folded.verdicts) == {event.key for event in story.events}
    if state.content is None:
        assert not folded.stock
        assert not folded.points
        assert all(v.outcome is Outcome.PARKED for v in folded.verdicts.values())
        return
    held: dict[tuple[str, str], int] = defaultdict(int)
    for one in state.content.lines:
        out, back = state.fulfilled_milli.get(one.line, 0), state.returned_milli.get(one.line, 0)
        assert 0 <= back <= out <= one.quantity_milli
        if state.cancelled_at is None and state.place is not None:
            held[one.sku, state.place] += (one.quantity_milli - out) // 1000
    moved = stock(folded)
    assert {at: units for at, (_, units) in moved.items() if units} == {
        at: units for at, units in held.items() if units
    }
    restocked = sum(e.on_hand_milli for e in folded.stock.values() if e.kind == "returned")
    assert 0 <= restocked <= sum(state.returned_milli.values())
    on_hand = sum(effect.on_hand_milli for effect in folded.stock.values())
    assert on_hand == restocked - sum(state.fulfilled_milli.values())
    is_earning = state.is_paid and state.cancelled_at is None
    earned = (state.paid_minor - state.refunded_minor) // 100 if is_earning else 0
    assert points(folded) == ({state.account: earned} if earned and state.account else {})
