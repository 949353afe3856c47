"""Lines of bundles take the stock of their components, in proportion."""

from itertools import permutations
from typing import Any

import pytest

from hub.domain import orders, reservations
from hub.domain.documents import Version
from hub.domain.envelope import BadEvent, Event
from hub.domain.events import decode
from hub.domain.orders import Folded
from hub.domain.supply import Supply
from tests.event_maker import Shop, at, line

SHOP = Shop()
PARTS = [{"sku": "cake", "quantity": "1"}, {"sku": "candle", "quantity": "6"}]


def placed(quantity: int = 3, **more: Any) -> Event:
    lines = [line(1, "party", quantity, "10.00", **more), line(2, "candle", 1, "1.00")]
    content = {"order_number": "n-1", "currency": "CNY", "lines": lines, "place": "xuhui"}
    return SHOP.event("order.placed", 0, **content, total=f"{quantity * 10 + 1}.00")


def step(kind: str, minute: float, quantity: str, **more: Any) -> Event:
    lines = [{"line": "1", "quantity": quantity}]
    return SHOP.event(kind, minute, order_number="n-1", lines=lines, **more)


def stock(*told: Event, supply: Supply | None = None) -> dict[str, tuple[int, int]]:
    """(on hand, committed) by item, in thousandths, in whatever order the events came."""
    found = [
        _stock(orders.fold(list(one), supply=supply or Supply())) for one in permutations(told)
    ]
    assert all(one == found[0] for one in found)
    return found[0]


def _stock(folded: Folded) -> dict[str, tuple[int, int]]:
    summed: dict[str, tuple[int, int]] = {}
    for (_, sku, _), effect in folded.stock.items():
        on_hand, committed = summed.get(sku, (0, 0))
        summed[sku] = (on_hand + effect.on_hand_milli, committed + effect.committed_milli)
    return {sku: both for sku, both in summed.items() if any(both)}


def test_a_line_of_a_bundle_commits_its_components_summed_with_single_ones() -> None:
    assert stock(placed(components=PARTS)) == {"cake": (0, 3000), "candle": (0, 19000)}


def test_a_bundle_that_is_called_off_given_out_and_returned_in_part_moves_in_proportion() -> None:
    told = [placed(components=PARTS), step("order.cancelled", 1, "1")]
    assert stock(*told) == {"cake": (0, 2000), "candle": (0, 13000)}
    told.append(step("order.shipped", 2, "1"))
    assert stock(*told) == {"cake": (-1000, 1000), "candle": (-6000, 7000)}
    told.append(step("return.received", 3, "1"))
    assert stock(*told) == {"cake": (0, 1000), "candle": (0, 7000)}


def test_parts_of_a_bundle_add_up_to_the_whole_of_it() -> None:
    parts = [{"sku": "cream", "quantity": "0.333"}]
    steps = [step("order.shipped", minute, "0.7") for minute in (1, 2, 3)]
    everything = SHOP.event("order.shipped", 9, order_number="n-1")
    found = stock(placed(components=parts), *steps, everything)
    assert found == {"cream": (-999, 0), "candle": (-1000, 0)}


def test_a_bundle_is_what_the_catalog_said_when_it_was_sold() -> None:
    versions = [Version(1, at(-20), (("candle", 1000),)), Version(2, at(-5), (("cake", 1000),)),
                Version(3, at(5), ())]  # fmt: skip
    supply = Supply(bundles={"party": versions})
    assert stock(placed(), supply=supply) == {"cake": (0, 3000), "candle": (0, 1000)}


def test_what_the_channel_says_of_a_bundle_comes_before_the_catalog() -> None:
    supply = Supply(bundles={"party": [Version(1, at(-20), (("candle", 1000),))]})
    assert stock(placed(components=PARTS[:1]), supply=supply)["cake"] == (0, 3000)
    assert stock(placed(components=[]), supply=supply)["party"] == (0, 3000)


def test_a_reservation_of_a_bundle_and_a_component_sums_the_demand() -> None:
    items = [
        {"sku": "party", "quantity": "1", "components": PARTS},
        {"sku": "candle", "quantity": "1"},
    ]
    named = {"order_number": "n-1", "place": "xuhui", "items": items}
    decided = SHOP.decision("reservation.created", 0, **named, expires_at=at(9).isoformat())
    held = decode(decided).data
    assert isinstance(held, reservations.Reservation)
    assert held.quantities_milli == {"cake": 1000, "candle": 7000}


@pytest.mark.parametrize(
    ("parts", "code"),
    [
        ([{"sku": "party", "quantity": "1"}], "component_of_itself"),
        ([{"sku": "cake", "quantity": "0"}], "bad_quantity"),
        ([{"sku": "cake", "quantity": "many"}], "bad_quantity"),
        ([{"sku": f"c-{n}", "quantity": "1"} for n in range(51)], "data_invalid"),
    ],
)
def test_components_that_cannot_be_are_refused_with_their_field(parts: Any, code: str) -> None:
    with pytest.raises(BadEvent) as refused:
        SHOP.event("item.upserted", 0, sku="party", name="Party", components=parts)
    assert refused.value.code == code
    assert refused.value.field is not None
    assert "components" in refused.value.field
