"""Lists of a platform that pushes nothing: read page by page, and again from any time."""

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from typer.testing import CliRunner

from hub.cli.channels import app
from hub.settings import Settings
from hub.store import platform_polls
from hub.testing import Database
from hub_api import polling
from tests.integration.channels.conftest import Hub
from tests.standins.platform import Api, api

PACK = """
format: 1
pack: listed
version: 1
title: A shop that only answers
secrets: {signing: it never pushes}
settings: {api: address of its API}
signatures: [{at: "header:x-sign", algorithm: md5, parts: ["{body}{secret}"]}]
envelope: {id: "$.number | text", type: $.state, time: $.changed | epoch_s}
time: {pattern: epoch_s}
polls:
  orders:
    basis: invented
    url: "{$setting.api}/orders"
    query: {from: $since, to: $until, after: "$next ?? ''"}
    ok: [{at: $answer.code, equals: 0}]
    result: "$answer.list?"
    next: "$answer.after?"
    message: {number: "$item.no | text", state: $item.state, changed: $item.at, total: $item.total}
    every_s: 30
    window_s: 3600
events:
  - types: [PLACED]
    emit:
      - type: order.placed
        subject: $.number
        data:
          order_number: $.number
          currency: CNY
          total: $.total | money
          lines: [{line: "1", sku: cake, quantity: "1",
                   unit_price: $.total | money, amount: $.total | money}]
samples:
  - name: an order as it is listed
    basis: invented
    request: {body: {number: L-0, state: PLACED, changed: 1772337480, total: "5.00"}}
    expect:
      events:
        - id: L-0
          type: order.placed
          subject: L-0
          time: "2026-03-01T03:58:00+00:00"
          data:
            order_number: L-0
            currency: CNY
            total: "5.00"
            lines: [{line: "1", sku: cake, quantity: "1", unit_price: "5.00", amount: "5.00"}]
"""
PAGE = 2


@dataclass
class Orders:
    """The platform's own orders, told two a page, of what changed in the time that is asked for."""

    orders: list[dict[str, Any]] = field(default_factory=list)
    asked: list[dict[str, str]] = field(default_factory=list)

    def add(self, number: str, at: datetime, state: str = "PLACED") -> None:
        said = {"no": number, "state": state, "at": int(at.timestamp()), "total": "5.00"}
        self.orders.append(said)

    def answer(self, said: dict[str, str]) -> Any:
        self.asked.append(said)
        span = range(int(said["from"]), int(said["to"]) + 1)
        found = [order for order in self.orders if order["at"] in span]
        begin = int(said.get("after") or 0)
        more = {"after": str(begin + PAGE)} if begin + PAGE < len(found) else {}
        return {"code": 0, "list": found[begin : begin + PAGE] or None} | more


async def _configure(hub: Hub, running: Api, state: str = "live") -> str:
    body = {"text": PACK, "reason": "a test"}
    answer = await hub.http.put("/v1/channel-packs/listed", json=body, headers=hub.admin)
    assert answer.status_code == 200, answer.text
    answer = await hub.configure("l", pack="listed", settings={"api": running.url}, state=state)
    assert answer.status_code == 200, answer.text
    return hub.name("l")


@pytest.fixture(autouse=True)
def by_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    """The task of the API itself does not look: the test does."""
    monkeypatch.setattr("hub_api.polling.POLL_LOOK_S", 3600)


async def _poll(hub: Hub) -> int:
    return await polling.poll_channel(hub.app.state.resources, hub.name("l"))


async def _rewind(hub: Hub, to: datetime) -> None:
    await platform_polls.rewind(hub.connection, hub.name("l"), "orders", to)


async def _place(hub: Hub) -> Any:
    (row,) = await platform_polls.listed(hub.connection, hub.name("l"))
    return row


async def test_a_list_is_read_page_by_page_and_what_comes_again_counts_once(hub: Hub) -> None:
    theirs, now = Orders(), datetime.now(UTC)
    for number in range(5):
        theirs.add(f"{hub.suffix}-{number}", now - timedelta(minutes=5))
    with api({"/orders": theirs.answer}) as running:
        await _configure(hub, running)
        await _rewind(hub, now - timedelta(minutes=30))
        assert await _poll(hub) == 5
        assert [said.get("after", "") for said in theirs.asked] == ["", "2", "4"]
        assert await _poll(hub) == 0  # it is not due
        await _rewind(hub, now - timedelta(minutes=30))
        assert await _poll(hub) == 5
    taken = await hub.read(10)
    tally = await hub.store(taken)
    assert (tally.duplicates, tally.dead_letters) == (5, 0)
    assert len(await hub.rows("select from orders")) == 5


async def test_a_page_that_fails_leaves_the_place_and_is_asked_for_again(hub: Hub) -> None:
    theirs, now = Orders(), datetime.now(UTC)
    for number in range(3):
        theirs.add(f"{hub.suffix}-{number}", now - timedelta(minutes=5))
    with api({"/orders": theirs.answer}) as running:
        await _configure(hub, running)
        for status in (429, 500, 302):
            await _rewind(hub, now - timedelta(minutes=30))
            running.failures.append(status)
            assert await _poll(hub) == 0
            place = await _place(hub)
            assert place["read_until"] == now - timedelta(minutes=30)
            assert str(status) in place["error"]
        await _rewind(hub, now - timedelta(minutes=30))
        assert await _poll(hub) == 3
    place = await _place(hub)
    assert place["error"] is None
    assert place["read_until"] > now
    assert len(await hub.read(3)) == 3


async def test_who_is_behind_catches_up_in_windows(hub: Hub) -> None:
    theirs, now = Orders(), datetime.now(UTC)
    theirs.add(f"{hub.suffix}-old", now - timedelta(minutes=150))
    theirs.add(f"{hub.suffix}-new", now - timedelta(minutes=10))
    with api({"/orders": theirs.answer}) as running:
        await _configure(hub, running)
        await _rewind(hub, now - timedelta(hours=3))
        # Each window is due at once after the one before, and begins a bit earlier than that ended.
        assert [await _poll(hub) for _ in range(4)] == [1, 0, 1, 0]
        assert await _poll(hub) == 0
    windows = [(int(said["from"]), int(said["to"])) for said in theirs.asked]
    assert len(windows) == 4
    assert [b[0] - a[1] for a, b in pairwise(windows)] == [-300] * 3


async def test_of_two_workers_one_reads_a_list_and_setting_it_back_takes_it_from_them(
    hub: Hub,
) -> None:
    channel, lease = hub.name("l"), timedelta(seconds=60)
    turn = await platform_polls.begin(hub.connection, channel, "orders", lease)
    assert turn is not None
    assert await platform_polls.begin(hub.connection, channel, "orders", lease) is None
    back = turn.begun_at - timedelta(days=1)
    await _rewind(hub, back)
    assert not await platform_polls.hold(hub.connection, turn, lease)
    outcome = platform_polls.Outcome(turn.begun_at, timedelta(0))
    assert not await platform_polls.end(hub.connection, turn, outcome)
    assert (await _place(hub))["read_until"] == back


async def test_what_is_listed_and_unknown_is_parked_and_the_rest_goes_on(hub: Hub) -> None:
    theirs, now = Orders(), datetime.now(UTC)
    theirs.add(f"{hub.suffix}-1", now - timedelta(minutes=1), "ON_THE_MOON")
    theirs.add(f"{hub.suffix}-2", now - timedelta(minutes=1))
    with api({"/orders": theirs.answer}) as running:
        await _configure(hub, running)
        await _rewind(hub, now - timedelta(minutes=5))
        assert await _poll(hub) == 2
    (kept,) = await hub.rows("select reason_code, topic from log.dead_letters")
    assert tuple(kept) == ("type_unmapped", "channel.inbound.v1")
    assert {record.topic for record in await hub.read(2)} == {
        "channel.inbound.v1", "commerce.orders.v1",
    }  # fmt: skip


async def test_a_running_hub_reads_lists_by_itself(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hub_api.polling.POLL_LOOK_S", 0.01)
    theirs, now = Orders(), datetime.now(UTC)
    theirs.add(f"{hub.suffix}-1", now - timedelta(minutes=1))
    with api({"/orders": theirs.answer}) as running:
        await _configure(hub, running)
        async with polling.running(hub.app.state.resources):
            (record,) = await hub.read(1)  # within the time that `read` waits
    assert record.event is not None
    assert record.event.subject == f"{hub.suffix}-1"


async def test_a_channel_that_is_off_or_a_draft_asks_for_nothing(hub: Hub) -> None:
    theirs = Orders()
    with api({"/orders": theirs.answer}) as running:
        for state in ("draft", "off"):
            await _configure(hub, running, state)
            hub.app.state.resources.channels._known.clear()
            assert await _poll(hub) == 0
    assert theirs.asked == []


@pytest.fixture
def command(
    database: Database, broker: Settings, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Any]:
    for name, value in database.settings.environment().items():
        monkeypatch.setenv(name, value)

    async def run(*arguments: str) -> Any:
        return await asyncio.to_thread(CliRunner().invoke, app, [*arguments, "--json"])

    return run


async def test_an_operator_sees_how_far_a_list_was_read_and_sets_it_back(
    hub: Hub, command: Callable[..., Any]
) -> None:
    with api({"/orders": Orders().answer}) as running:
        channel = await _configure(hub, running)
        await _poll(hub)
    rewound = await command("rewind", channel, "orders", "--to", "2026-03-01T08:00:00")
    assert rewound.exit_code == 0, rewound.output
    assert json.loads(rewound.stdout)["read_until"] == "2026-03-01T08:00:00+08:00"
    (shown,) = json.loads((await command("polls", channel)).stdout)
    assert datetime.fromisoformat(shown["read_until"]) == datetime(2026, 3, 1, tzinfo=UTC)
    (deed,) = await hub.rows("select action, object from hub.audit where action like 'poll.%'")
    assert tuple(deed) == ("poll.rewound", f"channels/{channel}/polls/orders")
    later = await command("rewind", channel, "orders", "--to", "2096-03-01T08:00:00")
    assert (later.exit_code, "not over yet" in later.output) == (1, True)
    unknown = await command("rewind", channel, "refunds", "--to", "2026-03-01T08:00:00")
    assert (unknown.exit_code, "no list 'refunds'" in unknown.output) == (1, True)
