"""A task that asks platforms for their lists, and takes what they say like pushes.

Any number of API processes may do it: a list is read by one at a time. What a list is: the pack's
`polls` (`hub.channels.polls`); how far it was read: `hub.store.platform_polls`.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from datetime import timedelta

import structlog

from hub.channels import polls
from hub.channels.expressions import Unmapped
from hub.channels.polls import Asked
from hub.domain.channels import TAKING
from hub.errors import HubError
from hub.store import platform_polls
from hub.store.platform_polls import Outcome, Turn
from hub_api import platform_calls, pushes
from hub_api.channels import Known
from hub_api.limits import POLL_LEASE_S, POLL_LOOK_S, POLL_PAGES_MAX, POLL_RETRY_S
from hub_api.postgres import PostgresAwayError
from hub_api.resources import Resources

_log = structlog.get_logger("hub_api.polling")
LEASE = timedelta(seconds=POLL_LEASE_S)
ERROR_LENGTH_MAX = 500


@contextlib.asynccontextmanager
async def running(held: Resources) -> AsyncIterator[None]:
    """Polls for as long as the block."""
    task = asyncio.create_task(poll_platforms(held))
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def poll_platforms(held: Resources) -> None:
    """Read what is due, each channel apart from the others, until cancelled."""
    running: dict[str, asyncio.Task[int]] = {}
    async with asyncio.TaskGroup() as group:
        while True:
            await asyncio.sleep(POLL_LOOK_S)
            try:
                names = await held.database.write(platform_polls.taking)
            except PostgresAwayError:
                continue
            for name in names:
                if name not in running or running[name].done():
                    running[name] = group.create_task(poll_channel(held, name))


async def poll_channel(held: Resources, name: str) -> int:
    """Read the lists of one channel that are due; how many messages were in them."""
    count = 0
    try:
        known = await held.channels.find(name)
        if known is None or known.pack is None or known.state not in TAKING:
            return 0
        for poll in known.pack.polls:
            turn = await held.database.write(
                lambda connection, poll=poll: platform_polls.begin(connection, name, poll, LEASE)
            )
            if turn is not None:
                count += await _read(held, known, turn)
    except Exception as error:  # noqa: BLE001 - one channel's fault stops no other's; the lease ends
        _log.warning("poll_failed", channel=name, cause=type(error).__name__)
    return count


async def _read(held: Resources, known: Known, turn: Turn) -> int:
    """One look at a list: its pages in order, then the place moves. A page that fails leaves the
    place where it was, and what was taken comes again and counts once."""
    assert known.pack is not None
    poll = known.pack.polls[turn.poll]
    until = min(turn.begun_at, turn.read_until + timedelta(seconds=poll.window_s))
    asked = Asked(turn.read_until - timedelta(seconds=poll.back_s), until)
    try:
        count = await _pages(held, known, turn, asked)
    except (HubError, Unmapped) as error:
        cause = _words(error)
        _log.warning("poll_failed", channel=turn.channel, poll=turn.poll, cause=cause)
        outcome = Outcome(None, timedelta(seconds=max(POLL_RETRY_S, poll.every_s)), 0, cause)
        await held.database.write(lambda connection: platform_polls.end(connection, turn, outcome))
        return 0
    if count is None:
        return 0
    # Who is behind looks on at once.
    again = timedelta(seconds=poll.every_s if until == turn.begun_at else 0)
    outcome = Outcome(until, again, count)
    await held.database.write(lambda connection: platform_polls.end(connection, turn, outcome))
    return count


async def _pages(held: Resources, known: Known, turn: Turn, asked: Asked) -> int | None:
    """How many messages the pages had; None if the turn was lost on the way."""
    pack = known.pack
    assert pack is not None
    count = 0
    for _ in range(POLL_PAGES_MAX):
        here = asked
        body = await platform_calls.ask(
            held, known, lambda given, here=here: polls.call_of(pack, given, turn.poll, here)
        )
        page = polls.page_of(pack, known.given, turn.poll, asked, body)
        await pushes.take(held, known, page.messages)
        count += len(page.messages)
        if not await held.database.write(
            lambda connection: platform_polls.hold(connection, turn, LEASE)
        ):
            return None
        if page.next is None:
            return count
        asked = page.next
    reason = f"more than {POLL_PAGES_MAX} pages: choose a shorter `window_s`"
    raise Unmapped("too_many", reason, f"$.polls.{turn.poll}")


def _words(error: HubError | Unmapped) -> str:
    said = f"{error.field}: {error.reason}" if isinstance(error, Unmapped) else str(error)
    return said[:ERROR_LENGTH_MAX]
