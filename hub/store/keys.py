"""Keys of the API: made, found, listed, revoked. What a key may do is decided in `hub_api`.

A key is `<prefix>.<secret>`. The prefix names it in lists and logs; of the secret only a digest is
kept, so the whole key can be shown once, when it is made.
"""

import hashlib
import re
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from hmac import compare_digest
from typing import Any

from hub.errors import HubError
from hub.store.db import Connection, queries

SCOPES = (
    "events:write",
    "members:read",
    "members:write",
    "members:personal",
    "orders:read",
    "orders:write",
    "stock:read",
    "coupons:read",
    "coupons:write",
    "reservations:write",
    "points:write",
    "allotments:write",
    "checkouts:write",
    "cases:read",
    "cases:write",
    "approvals:write",
    "dead_letters:read",
    "dead_letters:write",
    "rules:read",
    "rules:write",
    "member:all_channels",
    "subscriptions:read",
    "subscriptions:write",
    "admin",
)
"""What a key may be allowed; `admin` includes all the others."""
SECRET_BYTES = 32
PREFIX_BYTES = 6
LABEL_LENGTH_MAX = 100
TOKEN_LENGTH_MAX = 128

_TOKEN = re.compile(r"^(hub_[0-9a-f]{12})\.([A-Za-z0-9_-]{43})$")
_CHANNEL = re.compile(r"^[a-z0-9][a-z0-9_-]{0,63}$")


class BadKeyError(HubError):
    """A key can't be made or found so."""


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key as it is kept. `channel` None: not bound to one channel; former_until: until when the
    secret before the last rotation is good; requests_per_s: None for what is usual."""

    key_prefix: str
    channel: str | None
    scopes: frozenset[str]
    label: str
    created_at: datetime
    last_used_at: datetime | None
    revoked_at: datetime | None
    rotated_at: datetime | None = None
    former_until: datetime | None = None
    requests_per_s: int | None = None

    def allows(self, scope: str) -> bool:
        """True if the key has this scope, or all of them."""
        return scope in self.scopes or "admin" in self.scopes


@dataclass(frozen=True, slots=True)
class Found:
    """A key with the digests of its secrets."""

    key: ApiKey
    digest: bytes
    former_digest: bytes | None

    def accepts(self, secret: str, at: datetime) -> bool:
        """True if this is its secret at that time; takes as long if it is not."""
        until = self.key.former_until
        is_former = self.former_digest is not None and until is not None and at < until
        former = self.former_digest if is_former and self.former_digest else self.digest
        given = _digest(secret)
        is_one = compare_digest(given, self.digest) | compare_digest(given, former)
        return bool(is_one) and self.key.revoked_at is None


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key to make."""

    label: str
    scopes: tuple[str, ...]
    channel: str | None = None
    requests_per_s: int | None = None

    def __post_init__(self) -> None:
        unknown = sorted(set(self.scopes) - set(SCOPES))
        if unknown or not self.scopes:
            raise BadKeyError(
                f"unknown scope {', '.join(unknown)}" if unknown else "a key needs a scope",
                mend=f"use one or more of {', '.join(SCOPES)}",
            )
        if self.channel is not None and not _CHANNEL.match(self.channel):
            raise BadKeyError(
                f"{self.channel!r} can't be the name of a channel",
                mend="use small letters, digits, - and _, at most 64 characters",
            )
        if self.requests_per_s is not None and self.requests_per_s < 1:
            raise BadKeyError("a key may ask at least once a second")
        if not 0 < len(self.label) <= LABEL_LENGTH_MAX or not self.label.isprintable():
            raise BadKeyError(f"a label has 1 to {LABEL_LENGTH_MAX} printable characters")


def split_token(token: str) -> tuple[str, str] | None:
    """(prefix, secret) of a key as its owner sends it; None if it has not that form."""
    if len(token) > TOKEN_LENGTH_MAX:
        return None
    match = _TOKEN.match(token)
    return (match[1], match[2]) if match else None


async def create(connection: Connection, new: NewKey) -> str:
    """Keep a new key and give it whole: the only time its secret is seen."""
    prefix = f"hub_{secrets.token_hex(PREFIX_BYTES)}"
    secret = secrets.token_urlsafe(SECRET_BYTES)
    await connection.execute(
        queries("keys")["create"],
        prefix,
        _digest(secret),
        new.channel,
        sorted(set(new.scopes)),
        new.label,
        new.requests_per_s,
    )
    return f"{prefix}.{secret}"


async def rotate(connection: Connection, prefix: str, overlap: timedelta) -> str:
    """Give a key a new secret, and give it whole: the only time it is seen. The secret before is
    good for the overlap, the one before that no more. BadKeyError if there is none, or it is
    revoked."""
    secret = secrets.token_urlsafe(SECRET_BYTES)
    named = (prefix, _digest(secret), overlap)
    if await connection.fetchval(queries("keys")["rotate"], *named) is None:
        raise BadKeyError(f"no live key starts with {prefix!r}", mend="see `hub key list`")
    return f"{prefix}.{secret}"


async def find(connection: Connection, prefix: str) -> Found | None:
    """The key of this prefix, revoked or not, with the digests of its secrets."""
    row = await connection.fetchrow(queries("keys")["find"], prefix)
    return Found(_key(row), row["key_digest"], row["former_digest"]) if row is not None else None


async def all_keys(connection: Connection) -> list[ApiKey]:
    """Every key, the newest first; at most 10,000."""
    return [_key(row) for row in await connection.fetch(queries("keys")["all_keys"])]


async def revoke(connection: Connection, prefix: str) -> ApiKey:
    """Revoke a key; a key revoked before keeps its time. BadKeyError if there is none."""
    found = await connection.fetchrow(queries("keys")["revoke"], prefix)
    if found is None:
        raise BadKeyError(f"no key starts with {prefix!r}", mend="see `hub key list`")
    return _key(found)


async def mark_used(connection: Connection, used_at: dict[str, datetime]) -> None:
    """Note when each of these keys was last used; an older time changes nothing."""
    await connection.execute(queries("keys")["mark_used"], list(used_at), list(used_at.values()))


def _key(row: Any) -> ApiKey:
    return ApiKey(
        key_prefix=row["key_prefix"],
        channel=row["channel"],
        scopes=frozenset(row["scopes"]),
        label=row["label"],
        created_at=row["created_at"],
        last_used_at=row["last_used_at"],
        revoked_at=row["revoked_at"],
        rotated_at=row["rotated_at"],
        former_until=row["former_until"],
        requests_per_s=row["requests_per_s"],
    )


def _digest(secret: str) -> bytes:
    # The secret is 256 random bits: a slow hash would protect nothing more.
    return hashlib.sha256(secret.encode()).digest()
