"""What orders earn by which version of the rule, and on which terms."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import msgspec
import pytest

from hub.domain import earning, orders
from hub.domain.earning import NEVER, Scheme
from hub.domain.envelope import Event
from tests.event_maker import Shop, at, line

PLAIN = {
    "version": "v1",
    "reason": "plain",
    "valid_from": "2026-01-01T00:00:00+08:00",
    "points_per_unit": 1,
}
DOUBLE_DAY = PLAIN | {
    "version": "v2",
    "valid_from": "2026-03-01T16:30:00+08:00",
    "date_factors_milli": {"2026-03-02": 2000},
    "category_factors_milli": {"gift-card": 0, "cake": 1500},
    "expires_days": 365,
    "return_days": 7,
    "category_return_days": {"cake": 0},
}
"""In force half an hour after the tests' clock starts; the next day counts double."""


def scheme(*rules: dict[str, Any]) -> Scheme:
    return earning.read(msgspec.json.encode({"zone": "Asia/Shanghai", "rules": rules}))


@pytest.fixture
def two_versions(monkeypatch: pytest.MonkeyPatch) -> Scheme:
    monkeypatch.setattr(earning, "SCHEME", scheme(PLAIN, DOUBLE_DAY))
    return earning.SCHEME


def story(minute: float, category: str | None = None) -> list[Event]:
    """An order of 100.00, paid at a minute."""
    shop = Shop()
    one = line(1, "thing", 1, "100.00") | ({"category": category} if category else {})
    content = {"currency": "CNY", "lines": [one], "total": "100.00", "buyer": {"account": "a"}}
    payment = {"amount": "100.00", "currency": "CNY", "method": "wx", "payment_id": "p"}
    return [
        shop.event("order.placed", minute - 1, order_number="n", **content),
        shop.event("order.paid", minute, order_number="n", **payment),
    ]


def handed_over(minute: float) -> Event:
    return Shop().event("order.picked_up", minute, order_number="n", event_id="over")


def earned(events: list[Event]) -> int:
    return sum(points for points, _ in orders.fold(events).points.values())


def terms(events: list[Event]) -> earning.Terms:
    found = orders.points_terms(orders.fold(events).state)
    assert found is not None
    return found


TOMORROW = 24 * 60


@pytest.mark.usefixtures("two_versions")
def test_a_double_points_day_and_a_late_event_of_the_day_before() -> None:
    """Each earns by the version of its own time, whenever it came."""
    assert [earned(story(m)) for m in (29, 31, TOMORROW)] == [100, 100, 200]
    assert [terms(story(m)).rule_version for m in (29, 31, TOMORROW)] == ["v1", "v2", "v2"]


@pytest.mark.usefixtures("two_versions")
def test_a_date_is_one_of_the_business_zone() -> None:
    # Midnight in Shanghai is 16:00 UTC, eight hours after the tests' clock starts.
    assert [earned(story(m)) for m in (8 * 60 - 1, 8 * 60)] == [100, 200]


@pytest.mark.usefixtures("two_versions")
def test_categories_earn_by_their_own_factors() -> None:
    assert earned(story(60, "cake")) == 150
    assert earned(story(60, "gift-card")) == 0
    assert earned(story(20, "cake")) == 100


@pytest.mark.usefixtures("two_versions")
def test_points_wait_for_the_return_period_after_the_goods_were_handed_over() -> None:
    paid = story(60)
    assert terms(paid).opens_at == NEVER
    assert terms([*paid, handed_over(90)]).opens_at == at(90) + timedelta(days=7)


@pytest.mark.usefixtures("two_versions")
def test_fresh_goods_can_be_spent_from_their_pick_up_on() -> None:
    assert terms([*story(60, "cake"), handed_over(90)]).opens_at == at(90)


@pytest.mark.usefixtures("two_versions")
def test_points_end_with_a_day_of_the_business_zone() -> None:
    expires_at = terms(story(60)).expires_at
    assert expires_at == datetime(2027, 3, 1, 16, 0, tzinfo=UTC)
    assert terms(story(20)).expires_at is None


def test_partial_refund_of_one_of_three_lines_with_rounding() -> None:
    """Pro rata, the last refund takes the remainder, total reversed = total earned."""
    shop = Shop()
    lines = [line(n, "thing", 1, price) for n, price in enumerate(("3.34", "3.33", "3.33"), 1)]
    content = {"currency": "CNY", "lines": lines, "total": "10.00", "buyer": {"account": "a"}}
    payment = {"amount": "10.00", "currency": "CNY", "method": "wx", "payment_id": "p"}
    events = [
        shop.event("order.placed", 0, order_number="n", **content),
        shop.event("order.paid", 1, order_number="n", **payment),
    ]
    left = [earned(events)]
    for number, amount in enumerate(("3.34", "3.33", "3.33")):
        refund = {"refund_id": f"r-{number}", "amount": amount, "currency": "CNY"}
        events.append(shop.event("refund.succeeded", 2 + number, order_number="n", **refund))
        left.append(earned(events))
    assert left == [10, 6, 3, 0]


def test_a_scheme_that_contradicts_itself_is_refused() -> None:
    with pytest.raises(ValueError, match="valid_from"):
        scheme(PLAIN, PLAIN | {"version": "v2"})
    with pytest.raises(ValueError, match="same version"):
        scheme(PLAIN, PLAIN | {"valid_from": "2027-01-01T00:00:00+08:00"})
    with pytest.raises(ValueError, match="order of valid_from"):
        scheme()
    with pytest.raises(msgspec.ValidationError, match="unknown field"):
        scheme(PLAIN | {"points_per_yuan": 1})


def test_a_time_before_all_versions_earns_by_the_first() -> None:
    assert scheme(PLAIN, DOUBLE_DAY).at(datetime(2001, 1, 1, tzinfo=UTC)).version == "v1"
    assert scheme(PLAIN).day(at(8 * 60)) == date(2026, 3, 2)
