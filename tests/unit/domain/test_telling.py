"""What an event says to others is what it said to the hub."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.domain import telling

TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def test_no_digit_of_a_number_and_no_attribute_of_a_channels_own_is_lost() -> None:
    body = (
        b'{"specversion":"1.0","id":"e","source":"/channels/web/shops/1","type":"order.placed",'
        b'"time":"2026-03-01T08:00:00+08:00","shopversion":7,'
        b'"data":{"no":123456789012345678901234567890,"price":12.30}}'
    )
    assert msgspec.json.encode(telling.cloud_event(None, body)) == body


def test_an_event_in_binary_mode_is_told_in_structured_mode() -> None:
    headers = [["ce_specversion", "1.0"], ["ce_id", "e"], ["content-type", "application/json"]]
    said = msgspec.json.decode(msgspec.json.encode(telling.cloud_event(headers, b'{"a":1}')))
    assert said == {"specversion": "1.0", "id": "e", "data": {"a": 1}}


@pytest.mark.parametrize(
    ("headers", "body", "told"),
    [
        (None, {}, None),
        ([["traceparent", TRACE]], {}, TRACE),
        ([["traceparent", "00-of-the-hop"]], {"traceparent": TRACE}, TRACE),
        ([["ce_specversion", "1.0"], ["ce_traceparent", TRACE]], {}, TRACE),
    ],
)
def test_an_event_stays_in_its_own_trace(
    headers: list[list[str]] | None, body: dict[str, str], told: str | None
) -> None:
    said = msgspec.json.encode(telling.cloud_event(headers, msgspec.json.encode(body)))
    assert msgspec.json.decode(said).get("traceparent") == told


@given(st.tuples(st.integers(0, 2**63 - 1), st.integers(0, 2**63 - 1)))
def test_a_position_is_read_as_it_was_written(position: tuple[int, int]) -> None:
    assert telling.read_position(telling.position_text(position)) == position


@pytest.mark.parametrize("text", ["", "1", "-", "1-", "-1", "1-2-3", "a-1", "1-٣", f"{2**63}-1"])
def test_what_is_no_position_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="no position"):
        telling.read_position(text)
