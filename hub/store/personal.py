"""What profiles say of a person, in clear: for those who may see it, which their callers know and
record (`hub.store.audit`)."""

from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec import Struct

from hub.domain.ids import Key
from hub.store.db import Connection, queries
from hub.store.sealing import Vault, load_keys, unseal


class Personal(Struct, frozen=True):
    """Personal attributes by name, and identifiers: type, value, proof."""

    personal: dict[str, str]
    identifiers: list[dict[str, Any]]


async def of_profiles(
    connection: Connection, vault: Vault, profiles: Sequence[Key]
) -> dict[Key, Personal]:
    """What these profiles say, without those that say nothing, or whose person was erased."""
    rows = await connection.fetch(queries("members")["personal"], list(profiles))
    keys = await load_keys(connection, vault, [row["profile_id"] for row in rows])
    return {
        row["profile_id"]: msgspec.json.decode(
            unseal(keys[row["profile_id"]], row["personal"], row["profile_id"]), type=Personal
        )
        for row in rows
        if row["profile_id"] in keys
    }
