"""Posting events: what is taken, what is refused, and that nothing is taken by halves."""

import gzip
import json
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest

Event = Callable[..., dict[str, Any]]
PATH = "/v1/channels/website/events"


async def post(
    http: httpx.AsyncClient, poster: dict[str, str], body: bytes | str | Any, **headers: str
) -> httpx.Response:
    content = body if isinstance(body, bytes | str) else json.dumps(body)
    sent = {"content-type": "application/json"} | poster | headers
    return await http.post(PATH, content=content, headers=sent)


async def test_one_event_is_accepted_when_kafka_has_it(http, poster, sender, event: Event) -> None:
    answer = await post(http, poster, event("e1"))
    assert answer.status_code == 202, answer.text
    assert answer.json()["accepted"] == 1
    assert answer.json()["events"][0]["id"] == "e1"
    (record,) = sender.records
    assert record.topic == "commerce.orders.v1"
    assert json.loads(record.value) == event("e1")


async def test_a_batch_reaches_kafka_as_it_came_in_its_order(http, poster, sender, event) -> None:
    texts = [json.dumps(event(f"e{i}"), indent=i) for i in range(3)]
    answer = await post(http, poster, "[" + ",\n".join(texts) + "]")
    assert answer.status_code == 202
    assert [record.value.decode() for record in sender.records] == texts


async def test_a_batch_with_one_bad_event_is_refused_whole(http, poster, sender, event) -> None:
    bad = event("e2", data={"order_number": "W-2"})
    answer = await post(http, poster, [event("e1"), bad, event("e3"), event("e4", type="x.y")])
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert problem["type"] == "/problems/bad-events"
    assert [(error["index"], error["field"]) for error in problem["errors"]] == [
        (1, "$.data"),
        (3, "$.type"),
    ]
    assert all(error["reason"] for error in problem["errors"])
    assert sender.records == []


async def test_binary_mode_becomes_the_same_event(http, poster, sender, event) -> None:
    whole = event("é 1")
    headers = {
        f"ce-{name}": whole[name] for name in ("specversion", "source", "type", "time", "subject")
    }
    headers["ce-subject"] = "W-%C3%A9"
    headers["ce-id"] = "%C3%A9%201"
    answer = await post(http, poster, whole["data"], **headers)
    assert answer.status_code == 202, answer.text
    sent = json.loads(sender.records[0].value)
    assert sent["id"] == "é 1"
    assert sent["data"] == whole["data"]


@pytest.mark.parametrize(
    "kind", ["application/cloudevents+json", "application/json; charset=UTF-8"]
)
async def test_each_content_type_for_one_event_is_read(http, poster, event, kind: str) -> None:
    answer = await post(http, poster, event(), **{"content-type": kind})
    assert answer.status_code == 202


async def test_a_batch_content_type_is_read(http, poster, event) -> None:
    kind = {"content-type": "application/cloudevents-batch+json"}
    assert (await post(http, poster, [event()], **kind)).status_code == 202
    assert (await post(http, poster, event(), **kind)).status_code == 400


@pytest.mark.parametrize(
    "headers",
    [
        {"content-type": "text/plain"},
        {"content-type": "application/xml"},
        {"content-type": "application/json; charset=gb18030"},
        {"content-encoding": "br"},
        {"content-encoding": "gzip, gzip"},
    ],
)
async def test_a_body_of_another_kind_is_refused(http, poster, event, headers) -> None:
    assert (await post(http, poster, event(), **headers)).status_code == 415


async def test_a_gzip_body_is_read(http, poster, sender, event) -> None:
    body = gzip.compress(json.dumps(event()).encode())
    assert (await post(http, poster, body, **{"content-encoding": "gzip"})).status_code == 202
    assert json.loads(sender.records[0].value) == event()


@pytest.mark.parametrize(
    "body", [b"no gzip", gzip.compress(b"[]")[:-6], gzip.compress(b"[") + gzip.compress(b"]")]
)
async def test_a_broken_gzip_body_is_refused(http, poster, body: bytes) -> None:
    answer = await post(http, poster, body, **{"content-encoding": "gzip"})
    assert answer.status_code == 400


async def test_a_gzip_bomb_is_refused_without_being_unpacked(http, poster) -> None:
    bomb = gzip.compress(b" " * 200_000_000)
    answer = await post(http, poster, bomb, **{"content-encoding": "gzip"})
    assert answer.status_code == 413


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


@pytest.mark.parametrize("name", BAD_JSON)
async def test_json_that_is_not_strict_is_refused_with_field_and_reason(
    http, poster, sender, name: str
) -> None:
    answer = await post(http, poster, BAD_JSON[name])
    assert answer.status_code == 400, answer.text
    problem = answer.json()
    assert problem["type"] == "/problems/bad-json"
    assert problem["errors"][0]["field"]
    assert problem["errors"][0]["reason"]
    assert sender.records == []


async def test_json_that_is_not_strict_inside_a_batch_names_its_event(http, poster, event) -> None:
    good = json.dumps(event())
    bad = good.replace('"CAKE-6"', '"CAKE\\u0000"').replace('"e1"', '"e2"')
    twice = good.replace('"id"', '"id": "x", "id"')
    answer = await post(http, poster, f"[{good}, {bad}, {twice}]")
    assert answer.status_code == 422
    found = [(error["index"], error["field"]) for error in answer.json()["errors"]]
    assert found == [(1, "$.data.lines[0].sku"), (2, "$")]


BAD_EVENTS: dict[str, tuple[dict[str, Any], str]] = {
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


@pytest.mark.parametrize("name", BAD_EVENTS)
async def test_a_bad_envelope_is_refused_by_field(http, poster, sender, event, name: str) -> None:
    changes, field = BAD_EVENTS[name]
    answer = await post(http, poster, event(**changes))
    assert answer.status_code == 422, answer.text
    (error,) = answer.json()["errors"]
    assert error["field"] == field
    assert error["index"] == 0
    assert sender.records == []


@pytest.mark.parametrize("missing", ["specversion", "id", "source", "type", "time", "data"])
async def test_a_missing_attribute_is_named(http, poster, event, missing: str) -> None:
    whole = event()
    del whole[missing]
    answer = await post(http, poster, whole)
    assert answer.status_code == 422
    assert missing in answer.json()["errors"][0]["reason"]


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
async def test_a_bad_order_is_refused_before_kafka(
    http, poster, sender, event, field: str, value: Any
) -> None:
    whole = event()
    whole["data"][field] = value
    answer = await post(http, poster, whole)
    assert answer.status_code == 422, answer.text
    assert answer.json()["errors"][0]["field"].startswith("$.data")
    assert sender.records == []


async def test_an_order_of_ten_thousand_lines_is_refused(http, poster, event) -> None:
    whole = event()
    whole["data"]["lines"] = whole["data"]["lines"] * 10_000
    answer = await post(http, poster, json.dumps(whole, separators=(",", ":")))
    assert answer.status_code in (413, 422)
    assert answer.json()["errors"] or answer.status_code == 413


async def test_unknown_fields_are_kept_and_grant_nothing(http, poster, sender, event) -> None:
    whole = event(role="admin", points=1_000_000)
    whole["data"]["role"] = "admin"
    assert (await post(http, poster, whole)).status_code == 202
    assert json.loads(sender.records[0].value) == whole


async def test_a_batch_may_have_a_thousand_events_and_not_one_more(
    http, poster, sender, event
) -> None:
    small = [
        event(f"e{i}", type="order.completed", data={"order_number": str(i)}) for i in range(1001)
    ]
    assert (await post(http, poster, small[:1000])).status_code == 202
    assert len(sender.records) == 1000
    answer = await post(http, poster, small)
    assert answer.status_code == 400
    assert "1000" in answer.json()["errors"][0]["reason"]


async def test_a_body_of_one_mebibyte_is_read_and_not_one_byte_more(http, poster) -> None:
    at_limit = b'"' + b"a" * (1024 * 1024 - 2) + b'"'
    assert (await post(http, poster, at_limit)).status_code == 422
    assert (await post(http, poster, at_limit[:-1] + b'a"')).status_code == 413


async def test_an_endless_body_is_cut_off(http, poster) -> None:
    sent = 0

    async def chunks():
        nonlocal sent
        while True:
            sent += 1
            yield b"x" * 65536

    headers = {"content-type": "application/json"} | poster
    answer = await http.post(PATH, content=chunks(), headers=headers)
    assert answer.status_code == 413
    assert sent < 20


async def test_the_same_id_twice_in_a_batch_with_other_content_is_refused(
    http, poster, sender, event
) -> None:
    same = await post(http, poster, [event("e1"), event("e1")])
    assert same.status_code == 202
    sender.records.clear()
    other = await post(http, poster, [event("e1"), event("e1", subject="W-2")])
    assert other.status_code == 422
    assert other.json()["errors"][0] == {
        "index": 1,
        "field": "$.id",
        "reason": "another event of this batch has the same source and id",
    }
    assert sender.records == []


async def test_kafka_away_says_when_to_send_the_same_batch_again(
    http, poster, sender, event
) -> None:
    sender.is_away = True
    answer = await post(http, poster, event())
    assert answer.status_code == 503
    assert int(answer.headers["retry-after"]) > 0
    assert answer.json()["type"] == "/problems/kafka-away"
    sender.is_away = False
    assert (await post(http, poster, event())).status_code == 202


async def test_a_key_posts_for_its_own_channel_only(http, key_for, sender, event) -> None:
    other = await key_for("app", "events:write")
    answer = await post(http, other, event())
    assert answer.status_code == 403
    assert answer.json()["type"] == "/problems/foreign-channel"
    assert sender.records == []


async def test_a_key_without_the_scope_cannot_post(
    http, key_for: Callable[..., Awaitable[dict[str, str]]], event
) -> None:
    reader = await key_for("website", "orders:read")
    answer = await post(http, reader, event())
    assert answer.status_code == 403
    assert "events:write" in answer.json()["detail"]


async def test_the_body_is_not_read_before_the_key_is_known(http, event) -> None:
    assert (await post(http, {}, event())).status_code == 401


async def test_sql_in_every_string_is_only_text(http, poster, sender, event) -> None:
    evil = "x'); drop table hub.orders; --"
    whole = event(evil, subject=evil)
    whole["data"]["order_number"] = evil
    whole["data"]["lines"][0]["sku"] = evil
    answer = await post(http, poster, whole)
    assert answer.status_code == 202
    status = await http.get(answer.json()["events"][0]["status_url"], headers=poster)
    assert status.json()["state"] == "pending"
