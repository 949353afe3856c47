"""Channels in Postgres: what is in force of their configuration, and their secrets, sealed.

Configuration is in the log like any other (`hub.store.configs`); secrets are not, so that no
replay, export of the log or list shows them. What a pack says is `hub.channels`'s.
"""

import os
from datetime import timedelta
from typing import Any

from msgspec import Struct

from hub.domain import channels, ids
from hub.domain.channels import Channel, PackFile
from hub.store.db import Connection, queries
from hub.store.reads.viewer import Page
from hub.store.sealing import Vault

OVERLAP = timedelta(days=7)
"""How long the secret before lives beside a new one."""


class Found(Struct, frozen=True):
    """A channel as it is in force. pack_file: None for one that the hub is shipped with."""

    channel: Channel
    version: int
    pack_file: PackFile | None
    secrets: dict[str, tuple[str, ...]]

    def __repr__(self) -> str:
        return f"Found(version={self.version})"  # secrets stay out of logs


async def find(connection: Connection, vault: Vault, name: str) -> Found | None:
    """The channel of this name; None if there is none."""
    row = await connection.fetchrow(queries("channels")["current"], name)
    if row is None:
        return None
    channel = channels.read(row["document"])
    pack_file = await find_pack(connection, channel.pack, channel.pack_version)
    return Found(channel, row["version"], pack_file, await _secrets(connection, vault, name))


async def find_pack(
    connection: Connection, name: str, version: int | None = None
) -> PackFile | None:
    """The newest upload of a pack, or of one version of it."""
    found = await connection.fetchval(queries("channels")["pack"], name, version)
    return channels.read_pack(found) if found is not None else None


async def listed(connection: Connection) -> list[dict[str, Any]]:
    """Every channel with its configuration and the names of its secrets; never their values."""
    secrets: dict[str, dict[str, int]] = {}
    for row in await connection.fetch(queries("channels")["secret_names"]):
        secrets.setdefault(row["channel"], {})[row["name"]] = row["live"]
    rows = await connection.fetch(queries("channels")["all_current"])
    return [
        {"channel": row["name"], "secrets": secrets.get(row["name"], {})} | row["document"]
        for row in rows
    ]


async def put_secret(
    connection: Connection, vault: Vault, name: str, secret: tuple[str, str]
) -> None:
    """Give a channel a new secret (its name and value); the one before lives on for OVERLAP."""
    secret_name, value = secret
    secret_id = os.urandom(16)
    sealed = vault.wrap(value.encode(), _purpose(name, secret_name, secret_id))
    async with connection.transaction():
        await connection.execute(queries("channels")["retire_secrets"], name, secret_name, OVERLAP)
        await connection.execute(
            queries("channels")["add_secret"], secret_id, name, secret_name, sealed
        )


async def parked(connection: Connection, name: str, page: Page) -> list[dict[str, Any]]:
    """Open dead letters of a channel's pushes (`dead_letter_id`, `received_at`), oldest first."""
    rows = await connection.fetch(queries("channels")["parked"], name, *page.keyset(2), page.limit)
    return [dict(row) for row in rows]


async def _secrets(connection: Connection, vault: Vault, name: str) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for row in await connection.fetch(queries("channels")["secrets"], name):
        purpose = _purpose(name, row["name"], row["secret_id"])
        value = vault.unwrap(row["sealed"], purpose).decode()
        found[row["name"]] = (*found.get(row["name"], ()), value)
    return found


def _purpose(channel: str, name: str, secret_id: ids.Key) -> ids.Key:
    """Binds a secret to its place: moved to another channel it does not open."""
    return ids.derived("channel-secret", channel.encode(), b"\0", name.encode(), b"\0", secret_id)
