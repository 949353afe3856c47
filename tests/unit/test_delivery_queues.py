"""What waits of a subscription goes in its order for each object, and never twice."""

from datetime import timedelta
from typing import Any

from hub.store.deliveries import WINDOW, Delivery
from streams.deliveries.queues import LENGTH_MAX, Queue
from tests.event_maker import NOW


def delivery(number: int, order_key: str, **more: Any) -> Delivery:
    key = number.to_bytes(16)
    known: dict[str, Any] = {
        "delivery_id": key,
        "subscription_id": b"s" * 16,
        "type": "order.paid",
        "event_key": key,
        "position": (number, number),
        "order_key": order_key,
        "sku": None,
        "place": None,
        "generation": 1,
        "attempts": 0,
        "next_at": NOW,
        "is_replay": False,
        "created_at": NOW,
    }
    return Delivery(**(known | more))


def numbers(due: list[Delivery]) -> list[int]:
    return [one.position[0] for one in due]


def test_of_each_object_only_the_first_goes() -> None:
    queue = Queue([delivery(1, "a"), delivery(2, "b"), delivery(3, "a"), delivery(4, "c")])
    assert numbers(queue.due((), NOW, 8)) == [1, 2, 4]
    assert numbers(queue.due({"a"}, NOW, 8)) == [2, 4]
    assert numbers(queue.due((), NOW, 2)) == [1, 2]


def test_what_waits_for_its_time_holds_back_what_comes_after_it_about_its_object() -> None:
    later = NOW + timedelta(seconds=5)
    queue = Queue([delivery(1, "a", next_at=later), delivery(2, "b"), delivery(3, "a")])
    assert numbers(queue.due((), NOW, 8)) == [2]
    assert numbers(queue.due((), later, 8)) == [1, 2]


def test_what_changed_while_it_was_sent_waits_on() -> None:
    sent = delivery(1, "a")
    queue = Queue([sent])
    queue.add([delivery(1, "a", generation=2)])
    queue.end(sent)
    assert numbers(queue.due((), NOW, 8)) == [1]
    queue.end(delivery(1, "a", generation=2))
    assert queue.due((), NOW, 8) == []


def test_a_queue_that_does_not_know_all_takes_nothing_at_its_end() -> None:
    queue = Queue([delivery(number, str(number)) for number in range(WINDOW)])
    queue.add([delivery(WINDOW + 1, "new")])
    for number in range(WINDOW):
        queue.end(delivery(number, str(number)))
    assert queue.is_used_up
    assert queue.due((), NOW, 8) == []


def test_a_queue_has_a_limit() -> None:
    queue = Queue([])
    queue.add([delivery(number, str(number)) for number in range(LENGTH_MAX)])
    assert not queue.is_whole
    queue.add([delivery(LENGTH_MAX, "one more")])
    assert len(queue.due((), NOW, LENGTH_MAX + 1)) == LENGTH_MAX
