"""What waits for a slow reader of a stream is bounded, and of stock only the newest."""

from hub_api.mailbox import Mailbox, StreamEvent


def event(number: int, size: int = 2) -> StreamEvent:
    return StreamEvent(f"{number}-1", "stock.changed", b"x" * size)


async def test_what_is_newer_about_the_same_takes_the_place_of_what_waits() -> None:
    box = Mailbox(10, 100)
    for number, sku in enumerate(("cake", "candle", "cake")):
        box.put(sku, event(number))
    assert [one.id for one in await box.take(0)] == ["1-1", "2-1"]
    assert await box.take(0) == []


async def test_a_reader_at_the_limit_goes_on_and_one_past_it_is_let_go() -> None:
    box = Mailbox(3, 1_000)
    for number in range(3):
        box.put(number, event(number))
    assert not box.is_overrun
    box.put(3, event(3))
    assert box.is_overrun
    assert await box.take(0) == []
    box.put(4, event(4))
    assert await box.take(0) == []


async def test_what_waits_is_bounded_in_bytes() -> None:
    box = Mailbox(1_000, 100)
    for number in range(9):
        box.put("same", event(number, 50))
    assert not box.is_overrun
    box.put("other", event(10, 51))
    assert box.is_overrun


def test_an_event_is_written_as_browsers_read_it() -> None:
    written = StreamEvent("7-2", "order.paid", b'{"a":"\\n"}').wire()
    assert written == b'id: 7-2\nevent: order.paid\ndata: {"a":"\\n"}\n\n'
