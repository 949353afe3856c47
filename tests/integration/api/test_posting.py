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
    "body",
    [b"no gzip", gzip.compress(b"[]")[:-6], gzip.compress(b"[") + gzip.compress(b"]")],
    ids=["none", "cut short", "two members"],
)
async def test_a_broken_gzip_body_is_refused(http, poster, body: bytes) -> None:
    answer = await post(http, poster, body, **{"content-encoding": "gzip"})
    assert answer.status_code == 400


async def test_a_gzip_bomb_is_refused_without_being_unpacked(http, poster) -> None:
    bomb = gzip.compress(b" " * 200_000_000)
    answer = await post(http, poster, bomb, **{"content-encoding": "gzip"})
    assert answer.status_code == 413


async def test_a_body_that_is_no_json_is_refused_with_field_and_reason(
    http, poster, sender
) -> None:
    answer = await post(http, poster, b'{"id": NaN}')
    assert answer.status_code == 400
    problem = answer.json()
    assert problem["type"] == "/problems/bad-json"
    assert problem["errors"] == [{"field": "$", "reason": "NaN is not JSON"}]
    assert sender.records == []


async def test_json_that_is_not_strict_inside_a_batch_names_its_event(http, poster, event) -> None:
    good = json.dumps(event())
    bad = good.replace('"CAKE-6"', '"CAKE\\u0000"').replace('"e1"', '"e2"')
    twice = good.replace('"id"', '"id": "x", "id"')
    answer = await post(http, poster, f"[{good}, {bad}, {twice}]")
    assert answer.status_code == 422
    found = [(error["index"], error["field"]) for error in answer.json()["errors"]]
    assert found == [(1, "$.data.lines[0].sku"), (2, "$")]


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
