"""Channels by configuration: connected while the hub runs, pushes verified, nothing lost."""

import asyncio
import base64
import hashlib
import json
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

import asyncpg
import httpx
import pytest
from standardwebhooks import Webhook
from typer.testing import CliRunner

from hub.channels import shipped
from hub.cli import dead_letters
from hub.domain import ids
from hub.testing import Database
from hub_api.postgres import PostgresAwayError

SECRET = "whsec_" + base64.b64encode(b"0123456789abcdef01234567").decode()
PUSHES = "/v1/channels/shop1/webhooks/main"
Push = Callable[..., Awaitable[httpx.Response]]


@pytest.fixture
async def admin(key_for: Callable[..., Any]) -> dict[str, str]:
    return await key_for(None, "admin")


@pytest.fixture
def configure(http: httpx.AsyncClient, admin: dict[str, str]) -> Callable[..., Any]:
    """`await configure("shop1", pack="website", secrets={...})`: puts a channel in force."""

    async def put(channel: str, **said: Any) -> httpx.Response:
        body = {"state": "live", "reason": "a test"} | said
        return await http.put(f"/v1/channels/{channel}", json=body, headers=admin)

    return put


@pytest.fixture
async def website(configure: Callable[..., Any]) -> None:
    answer = await configure("shop1", pack="website", secrets={"signing": SECRET})
    assert answer.status_code == 200, answer.text


def signed(body: bytes, event_id: str, secret: str = SECRET, at: datetime | None = None) -> Any:
    moment = at or datetime.now(UTC)
    return {
        "webhook-id": event_id,
        "webhook-timestamp": str(int(moment.timestamp())),
        "webhook-signature": Webhook(secret).sign(event_id, moment, body.decode()),
    }


def completed(number: str = "W-1", **more: Any) -> bytes:
    said = {
        "type": "order.completed",
        "timestamp": datetime.now(UTC).isoformat(),
        "data": {"order_number": number},
    }
    return json.dumps(said | more).encode()


async def push(http: httpx.AsyncClient, body: bytes, event_id: str = "m1") -> httpx.Response:
    return await http.post(PUSHES, content=body, headers=signed(body, event_id))


async def test_a_signed_push_is_an_event_in_kafka(http, website, sender) -> None:
    answer = await push(http, completed())
    assert (answer.status_code, answer.text) == (202, "{}")
    (record,) = sender.records
    assert record.topic == "commerce.orders.v1"
    event = json.loads(record.value)
    assert event["source"] == "/channels/shop1/shops/main"
    assert (event["id"], event["pack"]) == ("m1", "website@1")


async def test_a_push_whose_signature_is_wrong_missing_or_of_another_body_is_refused(
    http, website, sender
) -> None:
    body = completed()
    other = "whsec_" + base64.b64encode(b"another secret of 24 byt").decode()
    foreign = signed(body, "m2") | {"webhook-id": "m1"}
    for headers in (signed(body, "m1", other), signed(b"{}", "m1"), foreign, {}):
        answer = await http.post(PUSHES, content=body, headers=headers)
        assert answer.status_code == 401, answer.text
        assert answer.json()["type"] == "/problems/webhook-refused"
    assert sender.records == []


async def test_a_push_signed_for_another_channel_is_refused(
    http, website, configure, sender
) -> None:
    other = "whsec_" + base64.b64encode(b"another secret of 24 byt").decode()
    await configure("shop2", pack="website", secrets={"signing": other})
    body = completed()
    headers = signed(body, "m1", other)
    there = await http.post("/v1/channels/shop2/webhooks/main", content=body, headers=headers)
    assert there.status_code == 202
    assert (await http.post(PUSHES, content=body, headers=headers)).status_code == 401


async def test_a_number_that_would_fill_the_memory_is_refused_before_it_is_written(
    http, configure
) -> None:
    laike = {"app_id": "t", "api": "http://127.0.0.1:9"}
    await configure("dy", pack="douyin_laike", settings=laike, secrets={"signing": "s"})
    trial = b'{"event": "verify_webhook", "content": {"challenge": 1e999999999}}'
    answer = await http.post("/v1/channels/dy/webhooks/main", content=trial)
    assert answer.status_code == 400
    assert "out of bounds" in answer.json()["detail"]


async def test_a_push_replayed_three_days_later_is_refused(http, website, sender) -> None:
    body = completed()
    old = signed(body, "m1", at=datetime.now(UTC) - timedelta(days=3))
    answer = await http.post(PUSHES, content=body, headers=old)
    assert answer.status_code == 401
    assert "timestamp_old" in answer.json()["detail"]
    assert sender.records == []


async def test_a_channels_secret_rotates_and_both_are_accepted_for_an_overlap(
    http, website, configure, sender
) -> None:
    new = "whsec_" + base64.b64encode(b"a new secret of 24 bytes").decode()
    assert (await configure("shop1", pack="website", secrets={"signing": new})).status_code == 200
    body = completed()
    await until(lambda: http.post(PUSHES, content=body, headers=signed(body, "m1", new)), 202)
    answer = await http.post(PUSHES, content=body, headers=signed(body, "m2", SECRET))
    assert answer.status_code == 202
    third = "whsec_" + base64.b64encode(b"the third one, 24 bytes.").decode()
    await configure("shop1", pack="website", secrets={"signing": third})
    await until(lambda: http.post(PUSHES, content=body, headers=signed(body, "m3", SECRET)), 401)
    answer = await http.post(PUSHES, content=body, headers=signed(body, "m4", new))
    assert answer.status_code == 202


async def until(ask: Callable[[], Awaitable[httpx.Response]], status: int) -> httpx.Response:
    """Ask until the answer is this one: what is published counts within a second."""
    deadline = time.monotonic() + 2
    while True:
        answer = await ask()
        if answer.status_code == status:
            return answer
        assert time.monotonic() < deadline, answer.text


async def test_kafka_away_asks_the_platform_to_send_the_push_again(http, website, sender) -> None:
    sender.is_away = True
    answer = await push(http, completed())
    assert answer.status_code == 503
    assert int(answer.headers["retry-after"]) > 0
    sender.is_away = False
    assert (await push(http, completed())).status_code == 202


async def test_a_channel_that_nobody_configured_or_that_is_a_draft_is_not_there(
    http, configure, sender
) -> None:
    assert (await push(http, completed())).status_code == 404
    answer = await configure("shop2", pack="website", state="draft")
    assert answer.status_code == 200
    assert (await http.post("/v1/channels/shop2/webhooks/m", content=b"{}")).status_code == 404


async def test_a_channel_is_switched_off_and_on_while_the_hub_runs(
    http, website, configure, sender
) -> None:
    assert (await push(http, completed())).status_code == 202
    await configure("shop1", pack="website", state="off")
    answer = await until(lambda: push(http, completed()), 503)
    assert answer.json()["type"] == "/problems/channel-off"
    await configure("shop1", pack="website", state="shadow")
    await until(lambda: push(http, completed()), 202)


async def test_a_type_without_a_rule_is_parked_with_its_bytes_and_its_fate_is_told(
    http, website, sender, writer, key_for
) -> None:
    body = completed(type="order.sung", big=9007199254740993)
    assert (await push(http, body)).status_code == 202
    (record,) = sender.records
    assert record.topic == "channel.inbound.v1"
    assert json.loads(record.value)["data"]["big"] == 9007199254740993
    reader = await key_for("shop1", "events:write")
    told = (await http.get("/v1/channels/shop1/events/m1?shop=main", headers=reader)).json()
    assert told["state"] == "dead_letter"
    assert told["dead_letters"][0]["reason"] == "type 'order.sung' is not known"


async def test_what_was_parked_goes_through_once_the_pack_is_mended(
    http, website, sender, admin
) -> None:
    await push(http, completed(type="order.done"))
    sender.records.clear()
    text = shipped.text("website").replace("version: 1", "version: 2", 1)
    rule = "events:\n  - types: [order.done]\n    emit: [{type: order.completed, data: $.data}]\n"
    mended = text.replace("events:\n", rule, 1)
    body = {"text": mended, "reason": "done is completed"}
    answer = await http.put("/v1/channel-packs/website", json=body, headers=admin)
    assert answer.status_code == 200, answer.text
    retry = "/v1/channels/shop1/retry"

    async def retried() -> httpx.Response:
        answer = await http.post(retry, headers=admin)
        if answer.json()["sent"] != 1:
            answer.status_code = 425
        return answer

    await until(retried, 200)
    (record,) = sender.records
    event = json.loads(record.value)
    assert (event["type"], event["id"], event["pack"]) == ("order.completed", "m1", "website@2")
    told = (await http.post(retry, headers=admin)).json()
    assert told == {"parked": 0, "sent": 0, "next_cursor": None}


async def test_what_stays_parked_does_not_stand_before_the_rest(http, website, admin) -> None:
    for number in range(3):
        await push(http, completed(type="order.sung"), f"m{number}")
    path, seen, cursor = "/v1/channels/shop1/retry?limit=2", [], ""
    while cursor is not None:
        told = (await http.post(path + cursor, headers=admin)).json()
        seen.append((told["parked"], told["sent"]))
        cursor = told["next_cursor"] and f"&cursor={told['next_cursor']}"
    assert seen == [(2, 0), (1, 0)]


async def test_a_parked_push_is_not_redriven_past_its_pack(
    http, website, database: Database, writer: asyncpg.Connection, monkeypatch
) -> None:
    await push(http, completed(type="order.sung"))
    row = await writer.fetchrow("select dead_letter_id from log.dead_letters")
    assert row is not None
    letter = ids.text(row["dead_letter_id"])
    for name, value in database.settings.environment().items():
        monkeypatch.setenv(name, value)
    said = await asyncio.to_thread(CliRunner().invoke, dead_letters.app, ["redrive", letter])
    assert said.exit_code == 1
    assert "mend the channel's pack" in said.stderr
    assert await writer.fetchval("select state from log.dead_letters") == "open"


async def test_a_pack_is_refused_with_the_failing_sample_and_field(http, admin) -> None:
    text = shipped.text("store_till").replace('total: "381.50"\n', 'total: "381.51"\n')
    body = {"text": text, "reason": "a mistake"}
    answer = await http.put("/v1/channel-packs/store_till", json=body, headers=admin)
    assert answer.status_code == 422
    (fault,) = answer.json()["errors"]
    assert fault["field"] == "$.samples[0]"
    assert "events[0].data.total is '381.50', expected '381.51'" in fault["reason"]
    tried = await http.post("/v1/channels/till/test", json={"text": text}, headers=admin)
    assert len(tried.json()["failures"]) == 1


async def test_secrets_of_channels_are_sealed_and_never_shown(
    http, website, admin, writer: asyncpg.Connection, database: Database
) -> None:
    listed = await http.get("/v1/channels", headers=admin)
    assert listed.json()["items"][0]["secrets"] == {"signing": 1}
    assert SECRET not in listed.text
    rows = await writer.fetch("select * from access.channel_secrets")
    assert all(SECRET.encode() not in bytes(row["sealed"]) for row in rows)
    logged = await writer.fetchval("select string_agg(body::text, ' ') from log.events")
    assert SECRET.encode().hex() not in (logged or "")


async def test_a_channel_that_lacks_a_setting_of_its_pack_is_refused(configure) -> None:
    answer = await configure("yz", pack="youzan")
    assert answer.status_code == 422
    assert "client_id" in answer.json()["errors"][0]["reason"]
    answer = await configure("yz", pack="nothing")
    assert "there is no pack 'nothing'" in answer.json()["errors"][0]["reason"]


async def test_only_an_admin_configures_channels(http, key_for) -> None:
    headers = await key_for("website", "events:write")
    for method, path in (("GET", "/v1/channels"), ("PUT", "/v1/channels/shop1")):
        answer = await http.request(method, path, headers=headers, json={})
        assert answer.status_code == 403


async def test_youzans_test_ping_is_acknowledged_and_not_processed(http, configure, sender) -> None:
    await configure("yz", pack="youzan", settings={"client_id": "c"}, secrets={"signing": "s"})
    said = {"id": "1", "kdt_id": 7, "type": "trade_TradePaid", "test": True, "msg": quote("{}")}
    body = json.dumps(said).encode()
    headers = {"Event-Sign": hashlib.md5(b"c" + body + b"s").hexdigest()}
    answer = await http.post("/v1/channels/yz/webhooks/7", content=body, headers=headers)
    assert (answer.status_code, answer.text) == (200, '{"code":0,"msg":"success"}')
    assert sender.records == []


async def test_wechats_echostr_is_answered_only_to_who_knows_the_token(http, configure) -> None:
    given = {"settings": {"app_id": "wx", "open_platform": "b"}, "secrets": {"signing": "t"}}
    await configure("mp", pack="wechat_miniprogram", **given)
    stamp = str(int(time.time()))
    said = hashlib.sha1("".join(sorted(["t", stamp, "n"])).encode()).hexdigest()
    query = {"signature": said, "timestamp": stamp, "nonce": "n", "echostr": "5837"}
    answer = await http.get("/v1/channels/mp/webhooks/main", params=query)
    assert (answer.status_code, answer.text) == (200, "5837")
    wrong = query | {"signature": "0" * 40}
    answer = await http.get("/v1/channels/mp/webhooks/main", params=wrong)
    assert answer.status_code == 401


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'"x"', b'{"a": 1, "a": 2}', b"\xff" * 9])
async def test_a_push_that_cannot_be_read_is_refused_and_nothing_is_sent(
    http, website, sender, body: bytes
) -> None:
    headers = {"webhook-id": "m1", "webhook-timestamp": str(int(time.time()))}
    headers["webhook-signature"] = "v1,AAAA"
    answer = await http.post(PUSHES, content=body, headers=headers)
    assert answer.status_code in (400, 401)
    assert sender.records == []


async def test_pushes_are_taken_while_postgres_is_away(
    http, website, sender, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert (await push(http, completed())).status_code == 202

    async def away(*_arguments: Any) -> Any:
        raise PostgresAwayError(where="a test")

    monkeypatch.setattr("hub_api.postgres.Database.write", away)
    monkeypatch.setattr("hub_api.channels.CHANNEL_CACHE_S", 0.0)
    assert (await push(http, completed("W-2"), "m2")).status_code == 202
    assert len(sender.records) == 2
    # What would have to be parked is asked for again.
    assert (await push(http, completed(type="order.sung"), "m3")).status_code == 503
