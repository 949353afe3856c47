"""A reservation and its order are one entity: one effect on stock, whichever comes first."""

from itertools import permutations
from typing import Any

import msgspec
import pytest

from hub.domain import events, orders
from hub.domain.envelope import BadEvent, Event, Outcome
from hub.domain.orders import Folded
from tests.event_maker import NOW, Shop, line

PLACE = "s1"


def decided(event_type: str, minute: int = 0, **data: Any) -> Event:
    body = {
        "specversion": "1.0",
        "id": f"{event_type}-{minute}",
        "source": "/hub",
        "type": event_type,
        "time": f"2026-03-01T10:{minute:02d}:00Z",
        "channel": "website",
        "shop": "main",
        "data": {"order_number": "W1"} | data,
    }
    return events.decode(msgspec.json.encode(body))


def created(minute: int = 0, quantity: str = "2") -> Event:
    items = [{"sku": "cake", "quantity": quantity}]
    return decided(
        "reservation.created",
        minute,
        place=PLACE,
        items=items,
        expires_at="2026-03-01T10:15:00Z",
    )


def effects(folded: Folded) -> tuple[int, int]:
    """(committed, reserved) of the cake, in thousandths."""
    return (
        sum(effect.committed_milli for effect in folded.stock.values()),
        sum(effect.reserved_milli for effect in folded.stock.values()),
    )


def placed(**more: Any) -> Event:
    lines = [line(1, "cake", 2, "10.00")]
    data = {"order_number": "W1", "currency": "CNY", "lines": lines, "total": "20.00"}
    return Shop("website", "main").event("order.placed", 125, **data, **more)


def test_what_is_held_is_reserved_until_it_ends() -> None:
    assert effects(orders.fold([created()])) == (0, 2000)
    assert effects(orders.fold([created(), decided("reservation.released", 5)])) == (0, 0)
    assert effects(orders.fold([created(), decided("reservation.expired", 16)])) == (0, 0)
    assert effects(orders.fold([created(), decided("reservation.committed", 5)])) == (2000, 0)


@pytest.mark.parametrize("ending", ["committed", "released", "expired"])
def test_the_commit_of_a_reservation_and_the_order_of_the_same_sale_are_one_effect(
    ending: str,
) -> None:
    told = [created(), decided(f"reservation.{ending}", 5), placed(place=PLACE)]
    for order in permutations(told):
        assert effects(orders.fold(list(order))) == (2000, 0)


def test_a_second_reservation_is_refused_while_one_holds_and_taken_after_it_ended() -> None:
    again = created(9, "1")
    twice = orders.fold([created(), again])
    assert twice.verdicts[again.key].outcome is Outcome.IGNORED
    later = orders.fold([created(), decided("reservation.released", 5), again])
    assert effects(later) == (0, 1000)


def test_a_reservation_that_ended_ends_once() -> None:
    first, second = decided("reservation.released", 5), decided("reservation.committed", 6)
    folded = orders.fold([created(), first, second])
    assert folded.verdicts[first.key].outcome is Outcome.APPLIED
    assert folded.verdicts[second.key].reason == "the reservation was released before"


def test_an_order_without_a_place_is_taken_from_where_it_was_reserved() -> None:
    folded = orders.fold([created(), placed()])
    assert effects(folded) == (2000, 0)
    assert folded.state.place == PLACE


def test_no_channel_can_send_what_only_the_hub_decides() -> None:
    body = msgspec.json.decode(
        msgspec.json.encode(
            {
                "specversion": "1.0",
                "id": "r1",
                "type": "reservation.released",
                "time": "2026-03-01T10:00:00Z",
                "data": {"order_number": "W1"},
            }
        )
    )
    for source in ("/hub", "/channels/website/shops/main"):
        with pytest.raises(BadEvent, match="the hub"):
            events.decode(msgspec.json.encode(body | {"source": source}), NOW)


@pytest.mark.parametrize("quantity", ["0", "-1", "1.0001", "x"])
def test_only_a_quantity_above_zero_can_be_held(quantity: str) -> None:
    with pytest.raises(BadEvent):
        created(0, quantity)
