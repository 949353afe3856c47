"""Calls to a platform's API: one token for all workers, got anew in time, and turns by its rate."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from hub.store import platform_access
from tests.integration.channels.conftest import Hub
from tests.standins import doudian
from tests.standins.platform import Api, api

SPACING, PATIENCE = timedelta(milliseconds=200), timedelta(milliseconds=500)


class Tokens:
    """The platform's own idea of tokens: each refresh token is good once, one token at a time."""

    def __init__(self) -> None:
        self.refreshed: list[str] = []
        self.good = ""

    def refresh(self, said: dict[str, str]) -> Any:
        expected = "dd-refresh" if not self.refreshed else f"refresh-{len(self.refreshed)}"
        if said["refresh_token"] != expected:
            return {"code": 50002}
        self.refreshed.append(said["refresh_token"])
        number = len(self.refreshed)
        self.good = f"access-{number}"
        tokens = {"access_token": self.good, "refresh_token": f"refresh-{number}"}
        return {"code": 10000, "data": tokens}

    def guarding(self, answer: Any) -> Any:
        return lambda said: answer if said["access_token"] == self.good else {"code": 30001}


def _guarded(platform: Any) -> tuple[dict[str, Any], Tokens]:
    theirs = Tokens()
    order = theirs.guarding(platform.details["/order/orderDetail"])
    return {"/order/orderDetail": order, "/token/refresh": theirs.refresh}, theirs


async def _push(hub: Hub, running: Api, *, times: int = 1) -> list[int]:
    platform = doudian.platform()
    settings = platform.settings | {"api": running.url}
    answer = await hub.configure(
        "live", pack="doudian", settings=settings, secrets=platform.secrets
    )
    assert answer.status_code == 200, answer.text
    push = platform.pushes()[0]
    answers = await asyncio.gather(*(hub.push("live", platform.shop, push) for _ in range(times)))
    return [answer.status_code for answer in answers]


async def test_one_token_is_got_for_all_and_used_until_its_end_is_near(hub: Hub) -> None:
    details, theirs = _guarded(doudian.platform())
    with api(details) as running:
        assert await _push(hub, running, times=4) == [200] * 4
        assert theirs.refreshed == ["dd-refresh"]
        await hub.rows("update access.platform_tokens set renews_at = clock_timestamp()")
        assert await _push(hub, running, times=4) == [200] * 4
    # The second was got with what the first answer gave, by one of the four.
    assert theirs.refreshed == ["dd-refresh", "refresh-1"]
    (kept,) = await hub.rows("select sealed from access.platform_tokens")
    assert b"access-2" not in kept["sealed"]


async def test_a_token_that_the_platform_ended_early_is_got_anew_within_the_same_push(
    hub: Hub,
) -> None:
    details, theirs = _guarded(doudian.platform())
    with api(details) as running:
        assert await _push(hub, running) == [200]
        theirs.good = "ended by somebody in the platform's portal"
        assert await _push(hub, running) == [200]
    assert len(theirs.refreshed) == 2


async def test_a_platform_that_gives_no_token_now_leaves_the_one_before_in_use(hub: Hub) -> None:
    details, theirs = _guarded(doudian.platform())
    with api(details) as running:
        assert await _push(hub, running) == [200]
        await hub.rows("update access.platform_tokens set renews_at = clock_timestamp()")
        running.failures.append(500)
        assert await _push(hub, running) == [200]
        # For a second nobody asks: a platform that is down is not asked by each push.
        assert await _push(hub, running) == [200]
    assert theirs.refreshed == ["dd-refresh"]
    assert [path.partition("?")[0] for path, _ in running.asked].count("/token/refresh") == 2


async def test_no_token_at_all_asks_the_platform_to_push_again(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    with api({"/order/orderDetail": {}, "/token/refresh": {"code": 50002}}) as running:
        assert await _push(hub, running) == [200]  # parked: the platform refuses, for good
    (kept,) = await hub.rows("select reason_code from log.dead_letters")
    assert kept["reason_code"] == "token_refused"
    monkeypatch.setattr("hub_api.platform_calls.DETAIL_TIMEOUT_S", 0.2)
    with api({}) as running:  # and this one finds the lease taken, and no token
        assert await _push(hub, running) == [503]
    assert running.asked == []


async def test_calls_of_all_workers_take_turns_by_the_platforms_rate(hub: Hub) -> None:
    async def book(channel: str) -> timedelta | None:
        return await platform_access.book(hub.connection, channel, SPACING, PATIENCE)

    waits = [await book("a") for _ in range(4)]
    assert waits[0] == timedelta(0)
    assert waits[1] is not None
    assert waits[2] is not None
    assert timedelta(0) < waits[1] <= SPACING
    assert waits[1] < waits[2] <= 2 * SPACING
    # The fourth would wait longer than it can, and takes no turn from anybody.
    assert waits[3] is None
    assert await book("b") == timedelta(0)


async def test_a_push_whose_platform_has_no_turn_left_is_to_be_pushed_again(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hub_api.platform_calls.DETAIL_TIMEOUT_S", 0.3)
    details, _ = _guarded(doudian.platform())
    with api(details) as running:
        assert await _push(hub, running) == [200]
        busy = "update access.platform_calls set free_at = clock_timestamp() + '1 hour'"
        await hub.rows(busy)
        asked = len(running.asked)
        assert await _push(hub, running) == [503]
        assert len(running.asked) == asked
