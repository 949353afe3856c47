"""Orders that are split, reported twice, called off in part, picked up otherwise than ordered."""

from itertools import permutations
from typing import Any

import pytest

from hub.domain import orders
from hub.domain.decisions import Decision, cloud_event
from hub.domain.envelope import BadEvent, Event, Outcome
from hub.domain.events import decode
from hub.domain.orders import Folded
from tests.event_maker import Shop, at, line

SHOP = Shop()
SLOT = {"slot_from": at(120).isoformat(), "slot_until": at(180).isoformat()}
ORIGIN = {"channel": "web", "shop": "1", "order_number": "n-1"}


def post(kind: str, minute: float, /, **data: Any) -> Event:
    return SHOP.event(kind, minute, order_number="n-1", **data)


def placed(**more: Any) -> Event:
    lines = [line(1, "cake", 2, "30.00"), line(2, "candle", 1, "5.50")]
    data = {"currency": "CNY", "lines": lines, "total": "65.50", "place": "xuhui"}
    return post("order.placed", 0, **(data | {"buyer": {"account": "a"}} | more))


def paid(minute: float, amount: str = "65.50") -> Event:
    data = {"amount": amount, "currency": "CNY", "method": "wx", "payment_id": "p-1"}
    return post("order.paid", minute, **data)


def fold(*told: Event, is_parent: bool = False) -> Folded:
    wanted = orders.fold(list(told), is_parent)
    for shuffled in permutations(told):
        found = orders.fold(list(shuffled), is_parent)
        assert (found.state, found.stock, found.points) == (
            wanted.state,
            wanted.stock,
            wanted.points,
        )
    return wanted


def stock(folded: Folded, sku: str, place: str = "xuhui") -> tuple[int, int]:
    """(on hand, committed) of what the order did."""
    found = [e for (_, s, p), e in folded.stock.items() if (s, p) == (sku, place)]
    return sum(e.on_hand_milli for e in found), sum(e.committed_milli for e in found)


@pytest.mark.parametrize(
    "more", [{"origin": ORIGIN | {"shop": "erp"}}, {"children": ["n-1-a", "n-1-b"]}]
)
def test_an_order_that_another_one_counts_for_has_no_effect_of_its_own(
    more: dict[str, Any],
) -> None:
    folded = fold(placed(**more), paid(1), post("order.shipped", 2))
    assert (folded.stock, folded.points) == ({}, {})
    assert not folded.state.counts
    assert folded.state.fulfilment_status == "fulfilled"


def test_a_parent_that_only_its_children_name_has_no_effect_of_its_own() -> None:
    folded = fold(placed(), paid(1), is_parent=True)
    assert (folded.stock, folded.points) == ({}, {})


def test_an_order_split_later_gives_back_what_it_had_committed() -> None:
    lines = [line(1, "cake", 2, "30.00"), line(2, "candle", 1, "5.50")]
    content = {"currency": "CNY", "lines": lines, "total": "65.50", "children": ["n-1-a"]}
    folded = fold(placed(), post("order.amended", 3, **content))
    assert stock(folded, "cake") == (0, 0)


def test_a_part_is_called_off_and_the_rest_goes_out() -> None:
    some = post("order.cancelled", 2, lines=[{"line": "1", "quantity": "1"}])
    folded = fold(placed(), paid(1), some, post("order.shipped", 3))
    assert stock(folded, "cake") == (-1000, 0)
    assert folded.state.cancelled_milli == {"1": 1000}
    assert (folded.state.status, folded.state.fulfilment_status) == ("open", "fulfilled")
    assert folded.state.due_minor == 35_50


def test_an_order_called_off_piece_by_piece_is_cancelled() -> None:
    first = post("order.cancelled", 2, lines=[{"line": "1", "quantity": "2"}])
    last = post("order.cancelled", 3, lines=[{"line": "2", "quantity": "5"}])
    folded = fold(placed(), first, last)
    assert (folded.state.status, folded.state.cancelled_at) == ("cancelled", at(3))
    assert stock(folded, "cake") == stock(folded, "candle") == (0, 0)


def test_what_went_out_cannot_be_called_off() -> None:
    late = post("order.cancelled", 3, lines=[{"line": "1", "quantity": "1"}])
    folded = fold(placed(), post("order.shipped", 2), late)
    assert folded.verdicts[late.key].outcome is Outcome.IGNORED
    assert stock(folded, "cake") == (-2000, 0)


def test_cancelled_after_shipping_is_a_return_and_no_stock_is_released() -> None:
    late = post("order.cancelled", 3)
    folded = fold(placed(), post("order.shipped", 2), late)
    verdict = folded.verdicts[late.key]
    assert verdict.outcome is Outcome.IGNORED
    assert verdict.reason is not None
    assert "a return brings them back" in verdict.reason


def test_picked_up_at_another_store_than_ordered_is_that_stores_stock_and_sale() -> None:
    folded = fold(placed(pickup=SLOT), post("order.picked_up", 5, place="jingan"))
    assert stock(folded, "cake", "jingan") == (-2000, 0)
    assert stock(folded, "cake", "xuhui") == (0, 0)
    assert folded.state.place == "jingan"


def test_a_pick_up_is_agreed_anew_with_store_and_slot() -> None:
    later = {"slot_from": at(240).isoformat(), "slot_until": at(300).isoformat()}
    changed = post("order.pickup_changed", 5, place="jingan", pickup=later)
    found = fold(placed(pickup=SLOT), changed).state
    assert found.pickup is not None
    assert (found.place, found.pickup.slot_from) == ("jingan", at(240))


@pytest.mark.parametrize(("minute", "outcome"), [(29, Outcome.APPLIED), (31, Outcome.IGNORED)])
def test_the_hub_changes_no_pick_up_after_its_cut_off(minute: int, outcome: Outcome) -> None:
    order = placed(pickup=SLOT | {"cut_off": at(30).isoformat()})
    data = {"order_number": "n-1", "place": "jingan"}
    body = cloud_event(
        Decision("order.pickup_changed", "web", "1", "n-1", data), f"d-{minute}", at(minute)
    )
    changed = decode(body)
    assert fold(order, changed).verdicts[changed.key].outcome is outcome


def test_a_slot_that_ends_before_it_begins_is_bad() -> None:
    with pytest.raises(BadEvent, match="ends before it begins"):
        placed(pickup={"slot_from": at(9).isoformat(), "slot_until": at(9).isoformat()})


def test_nobody_came_until_they_came() -> None:
    missed = fold(placed(), post("order.no_show", 200)).state
    assert missed.no_show_at == at(200)
    came = fold(placed(), post("order.no_show", 200), post("order.picked_up", 230)).state
    assert (came.fulfilled_at, came.received_at) == (at(230), at(230))


def test_money_that_comes_after_the_cancellation_is_known_as_late() -> None:
    found = fold(placed(), post("order.cancelled", 5), paid(9)).state
    assert (found.status, found.paid_late_minor) == ("cancelled", 65_50)


def test_the_live_session_and_its_anchor_are_kept() -> None:
    found = fold(placed(session={"session_id": "live-7", "anchor": "xiaomei"})).state
    assert found.content is not None
    assert found.content.session == ("live-7", "xiaomei")
