"""Identities derived from what a thing is, so that every replay and every worker gets the same.

An id is 16 bytes: in Postgres a uuid, in JSON its hexadecimal form (`text`, `parse`). How values
that identify a person are hidden is not here: see `hub.store.sealing`.
"""

import uuid
from functools import lru_cache
from hashlib import blake2b

Key = bytes
"""A 16-byte identity."""

_CACHED = 65_536
"""Accounts and stock items come again and again within one batch."""


def _digest(kind: bytes, *parts: str) -> Key:
    # The unit separator cannot be part of a valid event: control characters are refused.
    return blake2b("\x1f".join(parts).encode(), digest_size=16, person=kind).digest()


def event_key(source: str, event_id: str) -> Key:
    """Identity of an event: its source and id."""
    return _digest(b"event", source, event_id)


def order_id(channel: str, shop: str, order_number: str) -> Key:
    """Identity of an order: the same number on two channels or in two shops is two orders."""
    return _digest(b"order", channel, shop, order_number)


@lru_cache(maxsize=_CACHED)
def profile_id(channel: str, account: str) -> Key:
    """Identity of a profile: one account at one channel."""
    return _digest(b"profile", channel, account)


def coupon_id(code: str) -> Key:
    """Identity of a coupon by its normalised code."""
    return _digest(b"coupon", code)


def spend_id(channel: str, shop: str, order_number: str) -> Key:
    """Identity of the points spent on one order."""
    return _digest(b"spend", channel, shop, order_number)


@lru_cache(maxsize=_CACHED)
def stock_id(sku: str, place: str) -> Key:
    """Identity of a stock item at a place."""
    return _digest(b"stock", sku, place)


def transfer_id(name: str, sku: str, to_place: str) -> Key:
    """Identity of an item on its way to a place."""
    return _digest(b"transfer", name, sku, to_place)


def allotment_id(channel: str, session: str, sku: str, place: str) -> Key:
    """Identity of what is kept of a stock item for a channel, or a live session of it."""
    return _digest(b"allotment", channel, session, sku, place)


def session_id(channel: str, session: str) -> Key:
    """Identity of a live session of a channel."""
    return _digest(b"session", channel, session)


def catalog_id(kind: str, key: str) -> Key:
    """Identity of an item (kind `item`) or place (kind `place`)."""
    return _digest(b"catalog", kind, key)


def dead_letter_id(topic: str, partition: int, offset: int, cluster_id: str) -> Key:
    """Identity of a dead letter: where its record stands."""
    return _digest(b"dead-letter", cluster_id, topic, str(partition), str(offset))


def derived(kind: str, *parts: Key) -> Key:
    """Identity of what follows from others: a movement, an entry, a link, a case."""
    hasher = _begun(kind).copy()
    hasher.update(b"".join(parts))
    return hasher.digest()


@lru_cache(maxsize=1024)
def _begun(kind: str) -> blake2b:
    # To copy what is begun takes less than half of the time to begin anew.
    return blake2b(digest_size=16, person=kind.encode()[:16])


def content_hash(secret: bytes, body: bytes) -> Key:
    """Keyed digest of an event's content: it tells a repetition from a reused id, and what is
    erased cannot be guessed from it."""
    return blake2b(body, digest_size=16, key=secret, person=b"content").digest()


def text(key: Key) -> str:
    """The form people and JSON see: 8-4-4-4-12 hexadecimal digits."""
    digits = key.hex()
    if len(digits) != 32:
        raise ValueError("an id is 16 bytes")
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


def parse(value: str) -> Key:
    """The id that `text` wrote. ValueError if it is none."""
    return uuid.UUID(value).bytes
