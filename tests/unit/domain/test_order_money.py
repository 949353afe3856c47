"""The money of an order: refunds, tenders, deposits, cash on delivery, after-sale."""

from itertools import permutations
from typing import Any

import pytest

from hub.domain import events, money, orders
from hub.domain.envelope import BadEvent, Event, Outcome
from hub.domain.order_state import OrderState
from hub.domain.orders import Folded
from tests.event_maker import Shop, at, line

LINES = [line(n, "cake", 1, "30.00") for n in (1, 2, 3)]
SHOP = Shop()


def post(kind: str, minute: float, /, **data: Any) -> Event:
    return SHOP.event(kind, minute, order_number="n-1", **data)


def placed(**more: Any) -> Event:
    data = {"currency": "CNY", "lines": LINES, "total": "90.00", "place": "xuhui"}
    return post("order.placed", 0, **(data | {"buyer": {"account": "a"}} | more))


def paid(minute: float, amount: str = "90.00", payment: str = "p-1", **more: Any) -> Event:
    data = {"amount": amount, "currency": "CNY", "method": "wx", "payment_id": payment}
    return post(more.pop("kind", "order.paid"), minute, **data)


def refund(step: str, minute: float, amount: str, refund_id: str = "r-1", /, **more: Any) -> Event:
    data = {"amount": amount, "currency": "CNY", "refund_id": refund_id}
    return post(f"refund.{step}", minute, **(data | more))


def fold(*told: Event) -> Folded:
    return orders.fold(list(told))


def state(*told: Event) -> OrderState:
    return fold(*told).state


def earned(folded: Folded) -> int:
    return sum(points for points, _ in folded.points.values())


def outcomes(folded: Folded, *told: Event) -> list[str]:
    return [folded.verdicts[event.key].outcome.value for event in told]


def same_in_any_order(*told: Event) -> Folded:
    """The fold, which is the same whatever order they came in."""
    wanted = fold(*told)
    for shuffled in permutations(told):
        found = orders.fold(list(shuffled))
        assert (found.state, found.stock, found.points) == (
            wanted.state,
            wanted.stock,
            wanted.points,
        )
    return wanted


# Refunds ------------------------------------------------------------------------------------


def test_refunded_and_in_flight_never_exceed_what_was_paid() -> None:
    asked = refund("processing", 5, "60.00")
    beyond = refund("processing", 6, "30.01", "r-2")
    within = refund("processing", 7, "30.00", "r-3")
    folded = fold(placed(), paid(1), asked, beyond, within)
    assert outcomes(folded, asked, beyond, within) == ["applied", "parked", "applied"]
    assert folded.state.refunding_minor == 90_00
    assert folded.state.refundable_minor == 0


def test_a_failed_refund_makes_room_for_another() -> None:
    asked, failed = refund("processing", 5, "90.00"), post("refund.failed", 6, refund_id="r-1")
    again = refund("succeeded", 7, "90.00", "r-2")
    folded = same_in_any_order(placed(), paid(1), asked, failed, again)
    assert outcomes(folded, asked, failed, again) == ["applied"] * 3
    assert (folded.state.refunded_minor, folded.state.refunding_minor) == (90_00, 0)
    assert folded.state.refunds["r-1"].status == "failed"


def test_a_refund_that_was_on_its_way_counts_once_when_it_succeeds() -> None:
    told = (placed(), paid(1), refund("processing", 5, "30.00"), refund("succeeded", 6, "30.00"))
    folded = same_in_any_order(*told)
    assert (folded.state.refunded_minor, folded.state.refunding_minor) == (30_00, 0)
    assert folded.state.refunds["r-1"].asked_at == at(5)


def test_no_more_goes_back_of_a_line_than_it_came_to() -> None:
    part = refund("succeeded", 5, "20.00", lines=[{"line": "1", "amount": "20.00"}])
    more = refund("succeeded", 6, "10.01", "r-2", lines=[{"line": "1", "amount": "10.01"}])
    other = refund("succeeded", 7, "10.01", "r-3", lines=[{"line": "2", "amount": "10.01"}])
    folded = fold(placed(), paid(1), part, more, other)
    assert outcomes(folded, part, more, other) == ["applied", "ignored", "applied"]


def test_lines_of_a_refund_that_do_not_come_to_its_amount_are_bad() -> None:
    with pytest.raises(BadEvent, match="do not come to"):
        refund("succeeded", 5, "20.00", lines=[{"line": "1", "amount": "19.99"}])


def test_a_compensation_beyond_what_was_paid_is_a_kind_of_its_own() -> None:
    given = refund("succeeded", 5, "100.00", "c-1", kind="compensation")
    folded = fold(placed(), paid(1), given, refund("succeeded", 6, "90.00"))
    assert (folded.state.refunded_minor, folded.state.compensated_minor) == (90_00, 100_00)
    assert folded.state.payment_status == "refunded"


def test_a_refund_without_return_restocks_nothing_and_a_return_without_refund_is_possible() -> None:
    shipped = post("order.shipped", 2)
    refunded = fold(placed(), paid(1), shipped, refund("succeeded", 3, "90.00"))
    assert [e.on_hand_milli for e in refunded.stock.values()] == [0, -3000]
    back = post("return.received", 3, lines=[{"line": "1", "quantity": "1"}])
    returned = fold(placed(), paid(1), shipped, back)
    assert sum(e.on_hand_milli for e in returned.stock.values()) == -2000
    assert returned.state.refunded_minor == 0


def test_a_partial_refund_of_1_of_3_lines_with_rounding() -> None:
    """Pro rata, the last refund takes the remainder, total reversed = total earned."""
    lines = [line(n, "cake", 1, "33.33") for n in (1, 2, 3)]
    order = placed(lines=lines, total="99.99")
    refunds = [refund("succeeded", 5 + n, "33.33", f"r-{n}") for n in range(3)]
    told = [order, paid(1, "99.99")]
    sums = []
    for one in refunds:
        told.append(one)
        sums.append(earned(fold(*told)))
    assert earned(fold(*told[:2])) == 99
    assert sums == [66, 33, 0]


# Tenders ------------------------------------------------------------------------------------

POINTS = {"kind": "points", "amount": "30.00", "points": 3001}


def test_tenders_pay_a_part_and_earn_nothing() -> None:
    folded = fold(placed(tenders=[POINTS]), paid(1, "60.00"))
    assert folded.state.payment_status == "paid"
    assert earned(folded) == 60


def test_an_order_partly_paid_by_points_partly_refunded() -> None:
    """Money and points go back by rule: by the share of the money, the last takes the rest."""
    order = (placed(tenders=[POINTS]), paid(1, "60.00"))
    first, last = refund("succeeded", 5, "20.00"), refund("succeeded", 6, "40.00", "r-2")
    half = fold(*order, first).state
    assert list(half.points_back.values()) == [(1000, at(5))]
    assert half.fully_refunded_at is None
    whole = same_in_any_order(*order, first, last).state
    assert [points for points, _ in whole.points_back.values()] == [1000, 2001]
    assert whole.fully_refunded_at == at(6)


def test_a_refund_may_say_how_many_points_go_back() -> None:
    told = (placed(tenders=[POINTS]), paid(1, "60.00"), refund("succeeded", 5, "0", points=500))
    assert list(state(*told).points_back.values()) == [(500, at(5))]


def test_an_order_paid_by_points_alone_gives_them_all_back() -> None:
    order = placed(tenders=[POINTS | {"amount": "90.00"}])
    assert state(order).payment_status == "paid"
    back = state(order, refund("succeeded", 5, "0"))
    assert list(back.points_back.values()) == [(3001, at(5))]
    assert back.fully_refunded_at == at(5)


def test_stored_value_is_principal_and_bonus() -> None:
    value = {"kind": "stored_value", "amount": "30.00", "principal": "25.00", "bonus": "5.00"}
    content = state(placed(tenders=[value])).content
    assert content is not None
    assert (content.tenders[0].principal_minor, content.tenders[0].bonus_minor) == (25_00, 5_00)
    with pytest.raises(BadEvent, match="principal and bonus"):
        placed(tenders=[value | {"bonus": "5.01"}])
    with pytest.raises(BadEvent, match="more than the total"):
        placed(tenders=[POINTS | {"amount": "90.01"}])


def test_10_00_off_over_three_equal_lines() -> None:
    off = {"kind": "promotion", "amount": "10.00"}
    content = state(placed(discounts=[off], total="80.00")).content
    assert content is not None
    assert [one.discount_minor for one in content.lines] == [334, 333, 333]
    assert money.allocate(1000, [1, 1, 1]) == [334, 333, 333]
    with pytest.raises(BadEvent, match="above what is left"):
        placed(discounts=[off, off | {"amount": "80.01"}], total="0.00")


# Cash on delivery ---------------------------------------------------------------------------


def test_cash_on_delivery_paid_is_confirmed_and_earns_no_points_until_received() -> None:
    told = (placed(payment_terms="on_delivery"), paid(1), post("order.shipped", 2))
    folded = fold(*told)
    assert (folded.state.payment_status, earned(folded)) == ("confirmed", 0)
    received = same_in_any_order(*told, post("order.delivered", 9))
    assert (received.state.payment_status, earned(received)) == ("paid", 90)
    assert {when for _, when in received.points.values()} == {at(9)}
    terms = orders.points_terms(received.state)
    assert terms is not None
    assert terms.earned_at == at(9)


# Pre-sale -----------------------------------------------------------------------------------

EARNEST = {"kind": "earnest", "amount": "20.00", "balance_due_at": at(60).isoformat()}


def test_a_deposit_paid_and_the_balance_never_is_the_buyers_default() -> None:
    """No refund, stock freed, no points, booked as other income."""
    told = (
        placed(deposit=EARNEST),
        paid(1, "20.00"),
        post("order.cancelled", 61, fault="buyer"),
    )
    folded = same_in_any_order(*told)
    assert (folded.state.forfeited_minor, folded.state.refundable_minor) == (20_00, 0)
    assert earned(folded) == 0
    assert sum(effect.committed_milli for effect in folded.stock.values()) == 0


def test_the_merchants_default_gives_double_back() -> None:
    told = (
        placed(deposit=EARNEST),
        paid(1, "20.00"),
        post("order.cancelled", 5, fault="merchant"),
    )
    assert state(*told).refundable_minor == 40_00
    double, beyond = refund("succeeded", 6, "40.00"), refund("succeeded", 7, "0.01", "r-2")
    folded = fold(*told, double, beyond)
    assert outcomes(folded, double, beyond) == ["applied", "parked"]
    assert folded.state.forfeited_minor == 0


def test_a_refundable_deposit_goes_back_whoever_breaks_the_sale() -> None:
    deposit = EARNEST | {"kind": "refundable"}
    for fault in ("buyer", "merchant"):
        cancelled = post("order.cancelled", 5, fault=fault)
        found = state(placed(deposit=deposit), paid(1, "20.00"), cancelled)
        assert (found.refundable_minor, found.forfeited_minor) == (20_00, 0)


def test_a_balance_paid_in_time_completes_the_sale() -> None:
    folded = fold(placed(deposit=EARNEST), paid(1, "20.00"), paid(59, "70.00", "p-2"))
    assert (folded.state.payment_status, earned(folded)) == ("paid", 90)


def test_a_deposit_above_the_total_is_bad() -> None:
    with pytest.raises(BadEvent, match="above the total"):
        placed(deposit=EARNEST | {"amount": "90.01"})


# After-sale ---------------------------------------------------------------------------------


def after(step: str, minute: float, /, **more: Any) -> Event:
    return post(f"aftersale.{step}", minute, aftersale_id="as-1", **more)


def test_an_after_sale_has_states_of_its_own() -> None:
    asked = after("requested", 5, kind="exchange", lines=[{"line": "1", "quantity": "1"}])
    told = (placed(), paid(1), asked, after("approved", 6), after("exchanged", 7))
    found = same_in_any_order(*told).state
    assert (found.aftersales["as-1"].status, found.aftersales["as-1"].ended_at) == (
        "exchanged",
        at(7),
    )
    assert (found.status, found.payment_status) == ("open", "paid")


@pytest.mark.parametrize("end", ["rejected", "closed"])
def test_an_after_sale_that_ended_takes_no_further_step(end: str) -> None:
    asked = after("requested", 5, kind="refund", amount="30.00", currency="CNY")
    late = after("approved", 7)
    folded = fold(placed(), paid(1), asked, after(end, 6), late)
    assert folded.state.aftersales["as-1"].status == end
    assert folded.verdicts[late.key].outcome is Outcome.IGNORED


def test_a_step_of_an_after_sale_nobody_asked_for_waits() -> None:
    approved = after("approved", 6)
    assert outcomes(fold(placed(), approved), approved) == ["parked"]


def test_a_payment_captured_and_the_orders_own_word_of_it_are_one_payment() -> None:
    told = (placed(), paid(1), paid(2, kind="payment.captured"))
    assert same_in_any_order(*told).state.paid_minor == 90_00


def test_the_platforms_bill_of_a_payment_is_kept() -> None:
    bill = {"payment_id": "p-1", "amount": "90.00", "currency": "CNY", "fee": "0.54"}
    found = state(placed(), paid(1), post("payment.settled", 99, **bill))
    assert found.settlements["p-1"].fee_minor == 54


@pytest.mark.parametrize(
    ("currency", "total", "minor"), [("JPY", "90", 90), ("KRW", "90", 90), ("KWD", "0.090", 90)]
)
def test_currencies_have_their_own_digits(currency: str, total: str, minor: int) -> None:
    one = {"line": "1", "sku": "cake", "quantity": "1", "unit_price": total, "amount": total}
    content = state(placed(currency=currency, lines=[one], total=total)).content
    assert content is not None
    assert content.total_minor == minor
    with pytest.raises(BadEvent):
        placed(currency=currency, lines=[one], total=total + "1" if "." in total else total + ".1")


def test_ids_above_2_to_the_53_keep_every_digit() -> None:
    number = str(2**53 + 1)
    body = SHOP.body(
        "order.placed", 0, order_number=number, currency="CNY", lines=LINES, total="90.00"
    )
    assert events.decode(body).subject == number
