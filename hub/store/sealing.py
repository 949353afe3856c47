"""Hides what belongs to a person: identifiers as keyed digests, data under the person's key.

Dropping a person's key erases what was sealed under it. Encryption is deterministic (AES-SIV), so
a replay writes the same bytes. Keys are kept wrapped by the hub's master key.
"""

import os
from collections.abc import Iterable
from hashlib import blake2b

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV

from hub.domain.ids import Key
from hub.errors import HubError
from hub.store.db import Connection, queries

KEY_BYTES = 64


class SealBroken(HubError):
    """Sealed data cannot be opened: the hub's secret key is not the one it was sealed with. Start
    the hub with the data folder's own secret.key, or HUB_SECRET_KEY of that time."""


class Vault:
    """What the hub's secret key can do. Holds no person's key for longer than a call."""

    def __init__(self, secret: bytes) -> None:
        self._digest_key = blake2b(secret, digest_size=32, person=b"identifiers").digest()
        self.content_key = blake2b(secret, digest_size=32, person=b"content").digest()
        self._master = AESSIV(blake2b(secret, digest_size=KEY_BYTES, person=b"master").digest())

    def value_hmac(self, kind: str, value: str) -> Key:
        """Keyed digest of an identifier in its one spelling: for look-ups, not to be undone."""
        text = f"{kind}\x1f{value}".encode()
        return blake2b(text, digest_size=16, key=self._digest_key).digest()

    def wrap(self, key: bytes, owner: Key) -> bytes:
        """A person's key as it may be stored."""
        return self._master.encrypt(key, [owner])

    def unwrap(self, wrapped: bytes, owner: Key) -> bytes:
        """The person's key that `wrap` hid."""
        try:
            return self._master.decrypt(wrapped, [owner])
        except InvalidTag:
            raise SealBroken from None


def seal(key: bytes, data: bytes, purpose: Key) -> bytes:
    """Encrypt data under a person's key; `purpose` binds it to its place."""
    return AESSIV(key).encrypt(data, [purpose])


def unseal(key: bytes, sealed: bytes, purpose: Key) -> bytes:
    """What `seal` hid."""
    try:
        return AESSIV(key).decrypt(sealed, [purpose])
    except InvalidTag:
        raise SealBroken from None


async def load_keys(
    connection: Connection, vault: Vault, owners: Iterable[Key]
) -> dict[Key, bytes]:
    """The keys of those owners that have one."""
    rows = await connection.fetch(queries("sealing")["load_keys"], list(set(owners)))
    return {row["profile_id"]: vault.unwrap(row["wrapped_key"], row["profile_id"]) for row in rows}


async def ensure_keys(
    connection: Connection, vault: Vault, owners: Iterable[Key]
) -> dict[Key, bytes]:
    """The keys of all owners, made where missing."""
    wanted = sorted(set(owners))
    if not wanted:
        return {}
    keys = await load_keys(connection, vault, wanted)
    missing = [owner for owner in wanted if owner not in keys]
    if missing:
        wrapped = [vault.wrap(os.urandom(KEY_BYTES), owner) for owner in missing]
        await connection.execute(queries("sealing")["add_keys"], missing, wrapped)
        keys |= await load_keys(connection, vault, missing)
    return keys
