"""Calls to a channel's platform, as its pack says: within its rate, with a token that is good.

Turns and tokens are shared with all workers (`hub.store.platform_access`); the call itself is
`hub_api.details`'s, and what it is made of `hub.channels.fetching`'s.
"""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import structlog
from msgspec.structs import replace

from hub.channels import tokens
from hub.channels.expressions import Unmapped
from hub.channels.fetching import Call
from hub.channels.pack import Pack
from hub.channels.requests import Given
from hub.store import platform_access
from hub.store.platform_access import Shared
from hub_api.channels import Known
from hub_api.details import DetailAwayError
from hub_api.limits import DETAIL_TIMEOUT_S, TOKEN_LEASE_S, TOKEN_LOOK_S, TOKEN_PAUSE_S
from hub_api.resources import Resources

_log = structlog.get_logger(__name__)


async def ask(held: Resources, known: Known, make: Callable[[Given], Call]) -> bytes:
    """The body of the platform's answer to the call that `make` gives.

    Raises `DetailAwayError` if the platform does not answer, or its rate leaves no turn in time,
    and `Unmapped` for a call that cannot be made.
    """
    pack = known.pack
    assert pack is not None
    if pack.token is None:
        return await _read(held, known, make(known.given))
    used = await _token(held, known)
    body = await _read(held, known, make(_with(known.given, pack, used)))
    if not tokens.is_spent(pack, known.given, body):
        return body
    channel = known.given.channel
    await held.database.write(
        lambda connection: platform_access.end(connection, held.vault, channel, used)
    )
    return await _read(held, known, make(_with(known.given, pack, await _token(held, known))))


async def _read(held: Resources, known: Known, call: Call) -> bytes:
    """The call, in its turn."""
    assert known.pack is not None
    limit = known.pack.rate_limit
    if limit is not None:
        channel = known.given.channel
        spacing = timedelta(seconds=limit.per_s) / limit.calls
        patience = timedelta(seconds=DETAIL_TIMEOUT_S)
        waits = await held.database.write(
            lambda connection: platform_access.book(connection, channel, spacing, patience)
        )
        if waits is None:
            raise DetailAwayError("the platform's rate limit leaves no turn in time")
        await asyncio.sleep(waits.total_seconds())
    return await held.details.read(call)


def _with(given: Given, pack: Pack, used: Shared) -> Given:
    assert pack.token is not None
    assert used.token is not None
    return replace(given, secrets={**given.secrets, pack.token.gives: (used.token,)})


async def _token(held: Resources, known: Known) -> Shared:
    """A token that is good. One worker gets it for all; the others go on with the one before while
    it lives, and wait for the new one otherwise."""
    channel = known.given.channel
    try:
        async with asyncio.timeout(DETAIL_TIMEOUT_S):
            while True:
                found = await held.database.write(
                    lambda connection: platform_access.shared(connection, held.vault, channel)
                )
                if found.is_live and not found.is_due:
                    return found
                if await _is_ours(held, channel):
                    return await _renewed(held, known, found)
                if found.is_live:
                    return found
                await asyncio.sleep(TOKEN_LOOK_S)
    except TimeoutError as error:
        raise DetailAwayError("the platform gives no token in time") from error


async def _is_ours(held: Resources, channel: str) -> bool:
    lease = timedelta(seconds=TOKEN_LEASE_S)
    return await held.database.write(
        lambda connection: platform_access.lease(connection, channel, lease)
    )


async def _renewed(held: Resources, known: Known, before: Shared) -> Shared:
    """The new token, for all; the one before if it is good and the platform gives no other."""
    pack, given = known.pack, known.given
    assert pack is not None
    try:
        body = await _read(held, known, tokens.call_of(pack, given, before.kept, datetime.now(UTC)))
        grant = tokens.granted(pack, given, before.kept, body)
    except (DetailAwayError, Unmapped) as error:
        pause = timedelta(seconds=TOKEN_PAUSE_S)
        await held.database.write(
            lambda connection: platform_access.cut_lease(connection, given.channel, pause)
        )
        if not before.is_live:
            raise
        _log.warning("token_not_renewed", channel=given.channel, cause=type(error).__name__)
        return before
    lives = tokens.lives(pack)
    times = (lives, lives - lives / tokens.EARLY_PART)
    await held.database.write(
        lambda connection: platform_access.put(
            connection, held.vault, given.channel, (grant.token, grant.kept), times
        )
    )
    return Shared(grant.token, grant.kept, is_live=True, is_due=False)
