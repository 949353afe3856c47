"""Streams tell what happens as it happens, and who lost the connection goes on where it was."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
import uvicorn
from fastapi import FastAPI

from hub.domain import events, payloads, schemas
from hub.store import keys
from hub.testing import Database, free_port
from hub_api import limits
from hub_api.app import create_app
from hub_api.routes.streams import ORDER_TYPES
from tests.event_maker import Shop, line

KeyFor = Callable[..., Awaitable[dict[str, str]]]
Take = Callable[..., Awaitable[None]]
WEB, MINI = Shop("website"), Shop("mini-program")
PATIENCE_S = 15


class Event:
    """One server-sent event, or a comment."""

    def __init__(self, text: str) -> None:
        parts = [one.partition(": ") for one in text.splitlines()]
        fields = {name: value for name, _, value in parts}
        self.id, self.name = fields.get("id"), fields.get("event")
        self.data: Any = json.loads(fields["data"]) if "data" in fields else None


class Reader:
    """Reads a stream event by event."""

    def __init__(self, answer: httpx.Response) -> None:
        self.answer = answer
        self._chunks = answer.aiter_text()
        self._rest = ""
        self.comments = 0

    async def next(self) -> Event | None:
        """The next event with data; None when the stream has ended."""
        async with asyncio.timeout(PATIENCE_S):
            while True:
                text, mark, rest = self._rest.partition("\n\n")
                if mark:
                    self._rest = rest
                    if (event := Event(text)).data is not None:
                        return event
                    self.comments += text.startswith(":")
                    continue
                try:
                    self._rest += await anext(self._chunks)
                except StopAsyncIteration:
                    return None

    async def told(self, count: int) -> list[Event]:
        found = [await self.next() for _ in range(count)]
        return [one for one in found if one is not None]


async def on_hand(reader: Reader, wanted: str) -> Event:
    """The next event with so many: what was known may be told once more before."""
    while (event := await reader.next()) is not None:
        if event.data["on_hand"] == wanted:
            return event
    raise AssertionError(f"the stream ended before it told of {wanted}")


async def until(is_so: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not is_so():  # noqa: ASYNC110 - somebody else's, without an event
            await asyncio.sleep(0.02)


@pytest.fixture
async def app(database: Database, sender: Any) -> FastAPI:
    return create_app(database.settings, sender)


@pytest.fixture
async def url(app: FastAPI) -> AsyncIterator[str]:
    """The app behind a real server, since only that streams."""
    port = free_port()
    config = uvicorn.Config(app, port=port, log_level="critical", timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    server.install_signal_handlers = lambda: None  # type: ignore[attr-defined]
    serving = asyncio.create_task(server.serve())
    await until(lambda: server.started)
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    await serving


@asynccontextmanager
async def reading(
    url: str, path: str, headers: dict[str, str], last: str | None = None
) -> AsyncIterator[Reader]:
    given = headers | ({"Last-Event-ID": last} if last else {})
    async with (
        httpx.AsyncClient(base_url=url, timeout=PATIENCE_S) as client,
        client.stream("GET", path, headers=given) as answer,
    ):
        assert answer.status_code == 200, await answer.aread()
        yield Reader(answer)


def counted(sku: str, quantity: str, minute: float) -> bytes:
    return WEB.body(
        "stock.counted", minute, sku=sku, place="xuhui", quantity=quantity,
        measured_at=f"2025-03-01T02:{int(minute):02d}:00Z",
    )  # fmt: skip


def placed(shop: Shop, number: str, minute: float = 0) -> bytes:
    cake = line(1, "cake", 1, "30.00")
    content = {"order_number": number, "currency": "CNY", "lines": [cake], "total": "30.00"}
    return shop.body("order.placed", minute, **content)


async def test_stock_is_told_absolute_whenever_it_changes(
    url: str, key_for: KeyFor, take: Take
) -> None:
    headers = await key_for("website", "stock:read")
    async with reading(url, "/v1/stock/stream", headers) as reader:
        await take(counted("cake", "5", 1))
        await take(placed(MINI, "1"))
        counts = await reader.told(1)
        await take(counted("candle", "9", 2))
        (candle,) = await reader.told(1)
    assert counts[0].name == "stock.changed"
    assert (counts[0].data["sku"], counts[0].data["on_hand"]) == ("cake", "5")
    assert (candle.data["sku"], candle.data["available"]) == ("candle", "9")


async def test_a_stream_of_named_items_begins_with_what_there_is(
    url: str, key_for: KeyFor, take: Take
) -> None:
    await take(counted("cake", "5", 1), counted("candle", "9", 1))
    headers = await key_for(None, "stock:read")
    async with reading(url, "/v1/stock/stream?sku=cake", headers) as reader:
        (first,) = await reader.told(1)
        await take(counted("candle", "8", 2), counted("cake", "4", 2))
        second = await on_hand(reader, "4")
    assert [first.data["on_hand"], second.data["sku"]] == ["5", "cake"]


async def test_who_lost_the_connection_is_told_the_stock_as_it_is_now(
    url: str, key_for: KeyFor, take: Take
) -> None:
    headers = await key_for(None, "stock:read")
    async with reading(url, "/v1/stock/stream", headers) as reader:
        await take(counted("cake", "5", 1))
        (last,) = await reader.told(1)
    await take(counted("cake", "4", 2))
    await take(counted("cake", "3", 3), counted("candle", "9", 3))
    async with reading(url, "/v1/stock/stream", headers, last.id) as reader:
        missed = await reader.told(2)
        await take(counted("cake", "2", 4))
        live = await on_hand(reader, "2")
    assert {one.data["sku"]: one.data["on_hand"] for one in missed} == {"cake": "3", "candle": "9"}
    assert live.data["sku"] == "cake"


async def test_a_count_that_finds_what_is_known_is_told_to_nobody(
    url: str, key_for: KeyFor, take: Take
) -> None:
    await take(counted("cake", "5", 1))
    headers = await key_for(None, "stock:read")
    async with reading(url, "/v1/stock/stream", headers) as reader:
        await take(counted("cake", "6", 2))
        await take(counted("candle", "9", 2))
        await on_hand(reader, "9")  # whatever was told of the cake once more is behind
        await take(counted("cake", "6", 3))
        await take(counted("cake", "4", 4))
        (only,) = await reader.told(1)
    assert only.data["on_hand"] == "4"


async def test_a_channel_is_told_of_its_own_orders_alone(
    url: str, key_for: KeyFor, take: Take
) -> None:
    headers = await key_for("website", "orders:read")
    house = await key_for(None, "orders:read")
    async with (
        reading(url, "/v1/orders/stream", headers) as reader,
        reading(url, "/v1/orders/stream", house) as all_of_them,
    ):
        await take(placed(MINI, "M-1"), placed(WEB, "W-1"))
        (mine,) = await reader.told(1)
        both = await all_of_them.told(2)
    assert (mine.name, mine.data["subject"]) == ("order.placed", "W-1")
    assert [one.data["subject"] for one in both] == ["M-1", "W-1"]


async def test_each_fact_of_an_order_comes_once_across_a_lost_connection(
    url: str, key_for: KeyFor, take: Take
) -> None:
    headers = await key_for("website", "orders:read")
    async with reading(url, "/v1/orders/stream", headers) as reader:
        await take(placed(WEB, "1"))
        (first,) = await reader.told(1)
    for number in range(2, 8):
        await take(placed(WEB, str(number)))
    async with reading(url, "/v1/orders/stream", headers, first.id) as reader:
        missed = await reader.told(6)
        await take(placed(WEB, "8"))
        (live,) = await reader.told(1)
    told = [one.data["subject"] for one in [first, *missed, live]]
    assert told == [str(number) for number in range(1, 9)]


async def test_a_stream_needs_its_scope_and_a_true_id(url: str, key_for: KeyFor) -> None:
    orders = await key_for("website", "orders:read")
    async with httpx.AsyncClient(base_url=url, headers=orders) as client:
        assert (await client.get("/v1/stock/stream")).status_code == 403
        assert (await client.get("/v1/orders/stream?order_id=x")).status_code == 422
        bad = await client.get("/v1/orders/stream", headers={"Last-Event-ID": "yesterday"})
        assert bad.status_code == 400
        assert bad.json()["errors"][0]["field"] == "Last-Event-ID"


async def test_a_stream_ends_soon_after_its_key_was_revoked(
    url: str, key_for: KeyFor, writer: Any
) -> None:
    headers = await key_for("website", "stock:read")
    prefix = headers["Authorization"].removeprefix("Bearer ").partition(".")[0]
    async with reading(url, "/v1/stock/stream", headers) as reader:
        await keys.revoke(writer, prefix)
        assert await reader.next() is None


async def test_a_stream_without_news_shows_that_it_lives(
    url: str, key_for: KeyFor, take: Take, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hub_api.routes.streams.STREAM_HEARTBEAT_S", 0.05)
    monkeypatch.setattr("hub_api.routes.streams.STREAM_CHECK_S", 0.05)
    headers = await key_for("website", "stock:read")
    async with reading(url, "/v1/stock/stream", headers) as reader:
        await asyncio.sleep(0.6)
        await take(counted("cake", "5", 1))
        assert len(await reader.told(1)) == 1
        assert reader.comments > 0


async def test_a_reader_that_is_too_slow_is_let_go_and_misses_nothing(
    url: str, app: FastAPI, key_for: KeyFor, take: Take, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hub_api.routes.streams.STREAM_EVENTS_MAX", 5)
    headers = await key_for("website", "orders:read")
    async with reading(url, "/v1/orders/stream", headers) as reader:
        await take(placed(WEB, "0"))
        (last,) = await reader.told(1)
        await take(*(placed(WEB, str(number)) for number in range(1, 9)))
        assert await reader.next() is None
    monkeypatch.undo()
    async with reading(url, "/v1/orders/stream", headers, last.id) as reader:
        missed = await reader.told(8)
    assert [one.data["subject"] for one in missed] == [str(number) for number in range(1, 9)]


async def test_many_readers_share_one_look_at_the_outbox(
    url: str, app: FastAPI, key_for: KeyFor, take: Take, writer: Any
) -> None:
    headers = await key_for(None, "stock:read")
    async with (
        reading(url, "/v1/stock/stream", headers) as first,
        reading(url, "/v1/stock/stream", headers) as second,
    ):
        following = app.state.resources.following
        assert following.count == 2
        followers = "select count(*) from pg_stat_activity where application_name = 'hub facts'"
        assert await writer.fetchval(followers + " and datname = current_database()") == 1
        await take(counted("cake", "5", 1))
        told = await first.told(1) + await second.told(1)
        assert [one.data["on_hand"] for one in told] == ["5", "5"]
    await until(lambda: not following.count)


async def test_no_more_streams_than_a_process_can_hold(
    url: str, key_for: KeyFor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hub_api.routes.streams.STREAMS_MAX", 1)
    headers = await key_for(None, "stock:read")
    async with (
        reading(url, "/v1/stock/stream", headers),
        httpx.AsyncClient(base_url=url, headers=headers) as client,
    ):
        refused = await client.get("/v1/stock/stream")
    assert refused.status_code == 503
    assert refused.headers["Retry-After"] == "5"
    assert limits.STREAMS_MAX > 100


def test_all_that_orders_are_folded_from_is_read_of_what_was_missed() -> None:
    folded = {
        name
        for name in payloads.BY_TYPE
        if events.decode(schemas.example(name)).entity_kind == "order"
    }
    assert folded <= set(ORDER_TYPES)
