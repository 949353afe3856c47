"""Bad input, case by case: each is refused with the field and the reason."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from hub_api.envelope_schema import EXAMPLE
from hub_api.intake import Post, take
from hub_api.problems import Problem

NOW = datetime(2025, 3, 2, tzinfo=UTC)
BAD_JSON = {
    "empty": b"",
    "white space": b" \n ",
    "truncated": b'{"specversion": "1.0", "id": ',
    "truncated batch": b'[{"specversion": "1.0"}',
    "no json": b"hello",
    "bad utf-8": b'{"id": "\xff\xfe"}',
    "duplicate keys": b'{"id": "a", "id": "b"}',
    "nan": b'{"id": NaN}',
    "infinity": b'{"id": -Infinity}',
    "beyond a double": b'{"id": 1e999}',
    "nul": b'{"id": "a\\u0000b"}',
    "nul in a key": b'{"a\\u0000b": 1}',
    "raw nul": b'{"id": "a\x00b"}',
    "lone surrogate": b'{"id": "\\ud800"}',
    "2^63": b'{"id": 9223372036854775808}',
    "a number of 5000 digits": b'{"id": ' + b"9" * 5000 + b"}",
    "deep": b'{"a":' * 30 + b"1" + b"}" * 30,
    "very deep": b"[" * 100_000 + b"]" * 100_000,
    "very deep objects": b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
    "a byte order mark": b"\xef\xbb\xbf{}",
    "empty batch": b"[]",
    "two documents": b"{}{}",
}
BAD_ATTRIBUTES: dict[str, tuple[dict[str, Any], str]] = {
    "wrong specversion": ({"specversion": "0.3"}, "$.specversion"),
    "empty id": ({"id": ""}, "$.id"),
    "id not text": ({"id": 7}, "$.id"),
    "line break in id": ({"id": "a\r\nX-Evil: 1"}, "$.id"),
    "foreign channel": ({"source": "/channels/app/shops/main"}, "$.source"),
    "source of the hub": ({"source": "/hub"}, "$.source"),
    "path trick in the shop": ({"source": "/channels/website/shops/../../x"}, "$.source"),
    "unknown type": ({"type": "order.teleported"}, "$.type"),
    "a type only the hub decides": ({"type": "member.merged"}, "$.type"),
    "time without zone": ({"time": "2025-03-01T10:15:00"}, "$.time"),
    "time of 1970": ({"time": "1970-01-01T00:00:00Z"}, "$.time"),
    "time far ahead": ({"time": "2999-01-01T00:00:00Z"}, "$.time"),
    "negative sequence": ({"sequence": -1}, "$.sequence"),
    "data not an object": ({"data": "x"}, "$.data"),
    "data null": ({"data": None}, "$.data"),
}


def refusal(body: bytes) -> Problem:
    """Why these bytes are refused."""
    with pytest.raises(Problem) as caught:
        take(Post([("content-type", "application/json")], body, NOW), "website")
    return caught.value


def refusal_of(event: dict[str, Any]) -> Problem:
    return refusal(json.dumps(event).encode())


@pytest.mark.parametrize("name", BAD_JSON)
def test_json_that_is_not_strict_is_refused(name: str) -> None:
    problem = refusal(BAD_JSON[name])
    assert problem.code == "bad-json"
    assert problem.errors[0].field
    assert problem.errors[0].reason


@pytest.mark.parametrize("name", BAD_ATTRIBUTES)
def test_a_bad_attribute_is_refused_by_its_field(name: str) -> None:
    changes, field = BAD_ATTRIBUTES[name]
    (fault,) = refusal_of(EXAMPLE | changes).errors
    assert (fault.index, fault.field) == (0, field)


@pytest.mark.parametrize("missing", ["specversion", "id", "source", "type", "time", "data"])
def test_a_missing_attribute_is_named(missing: str) -> None:
    event = {name: value for name, value in EXAMPLE.items() if name != missing}
    assert missing in refusal_of(event).errors[0].reason


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("total", "168.001"),
        ("total", "1" + "0" * 30),
        ("total", "-168.00"),
        ("total", 168.0),
        ("total", "1e2"),
        ("total", "１68.00"),
        ("total", "169.00"),
        ("currency", "RMB¥"),
        ("lines", []),
        ("lines", [{"line": "1"}]),
        ("lines", {"1": {}}),
        ("order_number", "W\n1"),
        ("order_number", ["W-1"]),
    ],
)
def test_a_bad_order_is_refused(field: str, value: Any) -> None:
    problem = refusal_of(EXAMPLE | {"data": EXAMPLE["data"] | {field: value}})
    assert problem.errors[0].field.startswith("$.data")


def test_an_order_of_ten_thousand_lines_is_refused() -> None:
    line = {"sku": "S", "quantity": "1", "unit_price": "1", "amount": "1"}
    lines = [{"line": str(i)} | line for i in range(10_000)]
    problem = refusal_of(EXAMPLE | {"data": EXAMPLE["data"] | {"lines": lines}})
    assert "bytes" in problem.errors[0].reason
    problem = refusal_of(EXAMPLE | {"data": EXAMPLE["data"] | {"lines": lines[:1001]}})
    assert problem.errors[0].field == "$.data.lines"
