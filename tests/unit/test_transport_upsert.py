"""The benchmark's and the chaos test's handler: of two events of one order the later counts."""

from dataclasses import dataclass

import orjson

from benchmarks.streams_events import EVENT_BYTES, event
from benchmarks.streams_upsert import columns


@dataclass(frozen=True)
class Valued:
    value: bytes | None


def changed(number: int, total: str) -> Valued:
    body = orjson.loads(event(number)[1])
    body["data"]["total"] = total
    return Valued(orjson.dumps(body))


def test_the_later_of_two_events_of_an_order_counts() -> None:
    rows = columns([changed(1, "1.00"), changed(2, "2.00"), Valued(None), changed(1, "3.00")])
    assert dict(zip(rows.order_numbers, rows.totals_minor, strict=True)) == {
        "W000000001": 300,
        "W000000002": 200,
    }
    assert len(set(map(len, rows))) == 1


def test_a_batch_of_tombstones_has_no_rows() -> None:
    assert columns([Valued(None)]).order_numbers == []


def test_an_event_has_the_size_the_notes_speak_of() -> None:
    assert all(len(event(number)[1]) == EVENT_BYTES for number in (0, 7, 199_999))
