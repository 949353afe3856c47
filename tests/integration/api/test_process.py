"""The API as a process of its own, spoken to byte by byte."""

import asyncio
import json
import signal
from collections.abc import Callable
from typing import Any

from tests.integration.api.conftest import Api


def request(method: str, path: str, *headers: str, body: bytes = b"") -> bytes:
    lines = [f"{method} {path} HTTP/1.1", "Host: hub", "Connection: close", *headers]
    return ("\r\n".join(lines) + "\r\n\r\n").encode() + body


async def test_a_hostile_client_is_refused_and_the_next_one_served(
    api: Api, key_for: Callable[..., Any], event: Callable[..., Any]
) -> None:
    key = (await key_for("website", "events:write"))["Authorization"]
    path = "/v1/channels/website/events"
    sent = (f"Authorization: {key}", "Content-Type: application/json")
    whole = json.dumps(event()).encode()

    smuggled = request("GET", "/healthz\r\nX-Evil: 1", "X-A: b")
    assert b"500" not in await api.say(smuggled)
    many = request("GET", "/healthz", *(f"X-{i}: 1" for i in range(1000)))
    assert b" 431 " in await api.say(many)
    both = request("POST", path, *sent, "Content-Length: 5", "Transfer-Encoding: chunked")
    assert b" 400 " in await api.say(both + b"0\r\n\r\n")
    for length in ("99999999999999999999", "-1", "abc"):
        answer = await api.say(request("POST", path, *sent, f"Content-Length: {length}"))
        assert b" 400 " in answer or b" 413 " in answer, answer
    large = request("POST", path, *sent, "Content-Length: 104857600")
    assert b" 413 " in await api.say(large)
    endless = request("POST", path, *sent, "Transfer-Encoding: chunked")
    assert b" 413 " in await api.say(endless + (b"10000\r\n" + b"x" * 65536 + b"\r\n") * 20)
    cut = request("POST", path, *sent, f"Content-Length: {len(whole)}", body=whole[:50])
    await api.say(cut, end=True, timeout_s=2)
    assert b" 400 " in await api.say(b"\x00\xff\xfe nonsense\r\n\r\n")
    assert b" 200 " in await api.say(request("GET", "/healthz"))

    text = api.log.read_text()
    assert "Traceback" not in text
    assert key.rpartition(".")[2] not in text


async def test_a_body_that_never_ends_is_given_up_in_time(
    api: Api, key_for: Callable[..., Any]
) -> None:
    key = (await key_for("website", "events:write"))["Authorization"]
    headers = (f"Authorization: {key}", "Content-Type: application/json", "Content-Length: 100")
    slow = request("POST", "/v1/channels/website/events", *headers, body=b"{")
    answer = await api.say(slow, timeout_s=15)
    assert b" 408 " in answer
    assert b"/problems/body-timeout" in answer


async def test_without_kafka_a_post_is_refused_with_when_to_come_again(
    api: Api, key_for: Callable[..., Any], event: Callable[..., Any]
) -> None:
    key = (await key_for("website", "events:write"))["Authorization"]
    whole = json.dumps(event()).encode()
    headers = (f"Authorization: {key}", "Content-Type: application/json")
    post = request(
        "POST",
        "/v1/channels/website/events",
        *(*headers, f"Content-Length: {len(whole)}"),
        body=whole,
    )
    answer = (await api.say(post)).lower()
    assert b" 503 " in answer
    assert b"retry-after: 5" in answer
    ready = await api.say(request("GET", "/readyz"))
    assert b" 503 " in ready
    assert b'"kafka"' in ready


async def test_its_log_is_json_and_it_stops_on_sigterm(api: Api) -> None:
    await api.say(request("GET", "/v1/coupons/SECRET?phone=13912345678"))
    api.process.send_signal(signal.SIGTERM)
    assert await asyncio.wait_for(api.process.wait(), 10) in (0, -signal.SIGTERM)
    lines = [line for line in api.log.read_text().splitlines() if line.startswith("{")]
    routes = [json.loads(line).get("route") for line in lines]
    assert "/v1/coupons/{code:path}" in routes
    assert "SECRET" not in api.log.read_text()
    assert "13912345678" not in api.log.read_text()
