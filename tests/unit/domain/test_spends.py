"""Points spent on one order: what the hub decided and what the channel reports are one effect."""

import random
from collections import defaultdict
from datetime import timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from hub.domain import decisions, events, ids, spends
from hub.domain.decisions import Decision
from hub.domain.envelope import Event, Outcome
from hub.domain.spends import SpendState
from tests.event_maker import Shop, at

WEB, MINI = ids.profile_id("web", "a"), ids.profile_id("mini", "a")
SPEND = ids.spend_id("web", "1", "N")
NUMBER = {"order_number": "N"}


class Order:
    """The points of one order; the wallet has two profiles."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.shop = Shop()

    def decide(self, kind: str, minute: int, **data: Any) -> Event:
        decision = Decision(kind, "web", "1", "N", NUMBER | data)
        body = decisions.cloud_event(decision, f"d-{len(self.events)}", at(minute))
        self.events.append(events.decode(body))
        return self.events[-1]

    def take(self, kind: str, minute: int, points: int, **data: Any) -> Event:
        halves = ((WEB, points - points // 2), (MINI, points // 2))
        shares = [{"profile_id": ids.text(name), "points": half} for name, half in halves]
        return self.decide(kind, minute, account="a", points=points, shares=shares, **data)

    def hold(self, minute: int, points: int, hold_id: str = "h") -> Event:
        over = at(minute) + timedelta(minutes=15)
        return self.take("hold.placed", minute, points, hold_id=hold_id, expires_at=over)

    def tell(self, kind: str, minute: int, points: int) -> Event:
        account = {"account": "a"} if kind == "points.redeemed" else {}
        event = self.shop.event(kind, minute, points=points, **NUMBER, **account)
        self.events.append(event)
        return event

    def fold(self) -> spends.Folded:
        return spends.fold(self.events)


def balances(state: SpendState) -> dict[str, tuple[int, int]]:
    """(spent, held) of each profile by the movements."""
    sums: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for move in spends.movements(SPEND, state):
        name = "web" if move.profile_id == WEB else "mini"
        sums[name][0] -= move.points + move.held_points
        sums[name][1] += move.held_points
    return {name: (spent, held) for name, (spent, held) in sums.items()}


def test_a_part_that_is_captured_uses_the_shares_in_their_order() -> None:
    order = Order()
    order.hold(0, 100)
    assert balances(order.fold().state) == {"web": (0, 50), "mini": (0, 50)}
    order.decide("hold.captured", 5, hold_id="h", points=60)
    assert balances(order.fold().state) == {"web": (50, 0), "mini": (10, 0)}


def test_a_hold_that_timed_out_is_captured_by_nobody() -> None:
    order = Order()
    order.hold(0, 100)
    late = order.decide("hold.captured", 15, hold_id="h", points=60)
    folded = order.fold()
    assert folded.verdicts[late.key].reason == "this hold timed out before"
    order.decide("hold.expired", 16, hold_id="h")
    assert balances(order.fold().state) == {"web": (0, 0), "mini": (0, 0)}


def test_a_hold_does_not_expire_before_its_time() -> None:
    order = Order()
    order.hold(0, 100)
    early = order.decide("hold.expired", 14, hold_id="h")
    assert order.fold().verdicts[early.key].outcome is Outcome.IGNORED
    assert order.fold().state.held_points == 100


def test_what_the_channel_reports_captures_the_hold() -> None:
    order = Order()
    order.hold(0, 100)
    order.tell("points.redeemed", 5, 80)
    confirmed = order.decide("hold.captured", 6, hold_id="h", points=80)
    folded = order.fold()
    assert folded.verdicts[confirmed.key].outcome is Outcome.APPLIED
    assert balances(folded.state) == {"web": (50, 0), "mini": (30, 0)}
    assert not folded.state.is_disputed


def test_a_report_told_late_does_not_undo_what_the_hub_decided_since() -> None:
    """Whether it happened before the hold or during it."""
    for minute in (0, 5):
        order = Order()
        order.hold(2, 100)
        order.decide("hold.captured", 8, hold_id="h", points=80)
        order.tell("points.redeemed", minute, 50)
        folded = order.fold()
        assert balances(folded.state) == {"web": (50, 0), "mini": (30, 0)}
        assert folded.state.is_disputed


def test_the_hub_does_not_hold_or_capture_points_for_an_order_that_was_reported() -> None:
    order = Order()
    order.tell("points.redeemed", 0, 50)
    state = order.fold().state
    asked = order.hold(2, 100)
    assert spends.refuse(state, asked) == "points were spent on this order before"
    assert spends.refuse(Order().fold().state, asked) is None


def test_a_second_report_of_other_points_changes_nothing_and_is_disputed() -> None:
    order = Order()
    order.tell("points.redeemed", 5, 80)
    order.tell("points.redeemed", 6, 80)
    assert not order.fold().state.is_disputed
    order.tell("points.redeemed", 7, 90)
    folded = order.fold()
    assert folded.state.is_disputed
    assert balances(folded.state) == {"web": (80, 0)}


def test_points_go_back_to_where_the_last_of_them_came_from() -> None:
    order = Order()
    order.take("points.spent", 0, 100)
    order.tell("points.returned", 5, 60)
    assert balances(order.fold().state) == {"web": (40, 0), "mini": (0, 0)}
    above = order.tell("points.returned", 6, 41)
    assert order.fold().verdicts[above.key].waits_for == "points.redeemed"


STEPS = st.lists(
    st.tuples(
        st.sampled_from(("hold", "spent", "captured", "voided", "expired", "redeemed", "returned")),
        st.integers(0, 30),
        st.integers(1, 20),
    ),
    max_size=9,
)


@given(steps=STEPS, seed=st.integers(0, 999))
def test_whatever_happens_in_any_order_is_one_state_whose_movements_add_up(
    steps: list[tuple[str, int, int]], seed: int
) -> None:
    order = Order()
    for number, (kind, minute, points) in enumerate(steps):
        hold_id = f"h-{points % 2}"
        if kind == "hold":
            order.hold(minute, points, f"h-{number % 2}")
        elif kind == "spent":
            order.take("points.spent", minute, points)
        elif kind == "captured":
            order.decide("hold.captured", minute, hold_id=hold_id, points=points)
        elif kind in ("voided", "expired"):
            order.decide(f"hold.{kind}", minute, hold_id=hold_id)
        else:
            order.tell(f"points.{kind}", minute, points)
    wanted = order.fold()
    random.Random(seed).shuffle(order.events)
    assert order.fold() == wanted
    state = wanted.state
    sums = balances(state).values()
    assert sum(spent for spent, _ in sums) == state.spent_points - state.returned_points
    assert sum(held for _, held in sums) == state.held_points
    assert all(spent >= 0 and held >= 0 for spent, held in sums)
