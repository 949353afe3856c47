"""The API of a channel's platform, as all workers share it: its token, and whose turn a call is.

Not here: what a token and a limit are (`hub.channels.outgoing`), making calls (`hub_api`).
"""

from datetime import timedelta

import msgspec
from msgspec import Struct

from hub.domain import ids
from hub.domain.ids import Key
from hub.store.db import Connection, queries
from hub.store.sealing import Vault


class Shared(Struct, frozen=True):
    """The token that all use. kept: what the next one is got with; None of either: there is none.
    is_live: it is good still; is_due: somebody should get the next."""

    token: str | None = None
    kept: str | None = None
    is_live: bool = False
    is_due: bool = True

    def __repr__(self) -> str:
        return f"Shared(is_live={self.is_live}, is_due={self.is_due})"  # stays out of logs


async def shared(connection: Connection, vault: Vault, channel: str) -> Shared:
    """The token of a channel's platform."""
    row = await connection.fetchrow(queries("platform_access")["token"], channel)
    if row is None or row["sealed"] is None:
        return Shared()
    opened = vault.unwrap(row["sealed"], _purpose(channel))
    token, kept = msgspec.json.decode(opened, type=tuple[str, str | None])
    return Shared(token, kept, row["is_live"], row["is_due"])


async def lease(connection: Connection, channel: str, time: timedelta) -> bool:
    """Whether it is the caller who gets the next token, and nobody else for this time."""
    sql = queries("platform_access")["lease"]
    return await connection.fetchval(sql, channel, time) is not None


async def cut_lease(connection: Connection, channel: str, pause: timedelta) -> None:
    """Who holds the lease got no token: after a pause somebody may try again."""
    await connection.execute(queries("platform_access")["cut_lease"], channel, pause)


async def put(
    connection: Connection,
    vault: Vault,
    channel: str,
    token: tuple[str, str | None],
    times: tuple[timedelta, timedelta],
) -> None:
    """The token (and what is kept) that all use from now on. times: good for, got anew after."""
    sealed = _sealed(vault, channel, token)
    await connection.execute(queries("platform_access")["put_token"], channel, sealed, *times)


async def end(connection: Connection, vault: Vault, channel: str, used: Shared) -> None:
    """The platform takes this token no more. One that was put since stays."""
    assert used.token is not None
    sealed = _sealed(vault, channel, (used.token, used.kept))
    await connection.execute(queries("platform_access")["end_token"], channel, sealed)


async def book(
    connection: Connection, channel: str, spacing: timedelta, patience: timedelta
) -> timedelta | None:
    """A turn for one call, `spacing` after the one before: how long to wait for it. None, and no
    turn, if that is longer than `patience`."""
    sql = queries("platform_access")["book"]
    return await connection.fetchval(sql, channel, spacing, patience)


def _sealed(vault: Vault, channel: str, token: tuple[str, str | None]) -> bytes:
    # Deterministic, so the one that was used is found by its bytes.
    return vault.wrap(msgspec.json.encode(token), _purpose(channel))


def _purpose(channel: str) -> Key:
    return ids.derived("platform-token", channel.encode())
