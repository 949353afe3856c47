"""Who calls: the key of a request, its scopes, its channel. Keeping keys: `hub.store.keys`.

Sessions of people: `hub_api.sessions`.
"""

import asyncio
import math
import time
from collections import OrderedDict
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Annotated

import structlog
from fastapi import Depends, Request
from fastapi.security import HTTPBearer

from hub.store import keys
from hub.store.keys import ApiKey, Found
from hub.store.reads.viewer import Viewer
from hub_api.limits import (
    COUPON_MISSES_PER_MINUTE_MAX,
    KEY_BURST_S,
    KEY_CACHE_KEYS_MAX,
    KEY_CACHE_S,
    KEY_REQUESTS_PER_S,
    KEY_USED_FLUSH_S,
    MEMBER_MISSES_PER_MINUTE_MAX,
    MISSES_KEYS_MAX,
)
from hub_api.postgres import Database, PostgresAwayError
from hub_api.problems import Problem
from hub_api.sessions import SESSION_COOKIE

MINUTE_S = 60.0
MISSES_PER_MINUTE_MAX = {
    "coupon": COUPON_MISSES_PER_MINUTE_MAX,
    "member": MEMBER_MISSES_PER_MINUTE_MAX,
}
# Only for the OpenAPI page: the header is read below, so that every refusal has the one shape.
bearer = HTTPBearer(auto_error=False, description="`<prefix>.<secret>`, made by `hub key create`")
_log = structlog.get_logger(__name__)


@dataclass(slots=True)
class _Known:
    """What was read of a prefix, and when: None if there is no such key."""

    read_at: float
    found: Found | None


@dataclass(slots=True)
class _Bucket:
    """How many requests a key may make at once, as of a time."""

    tokens: float
    at: float


class Keyring:
    """Finds keys, remembering each for at most KEY_CACHE_S, and notes their use in batches."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._known: OrderedDict[str, _Known] = OrderedDict()
        self._used_at: dict[str, datetime] = {}
        self._buckets: OrderedDict[str, _Bucket] = OrderedDict()
        self._misses: OrderedDict[tuple[str, str], tuple[float, int]] = OrderedDict()

    async def identify(self, authorization: str) -> ApiKey:
        """The key of an `Authorization` header; refused if missing, wrong or revoked."""
        scheme, _, token = authorization.partition(" ")
        parts = keys.split_token(token.strip()) if scheme.lower() == "bearer" else None
        if parts is None:
            raise _unauthorized()
        prefix, secret = parts
        found = await self._find(prefix)
        now = datetime.now(UTC)
        if found is None or not found.accepts(secret, now):
            raise _unauthorized()
        self._used_at[prefix] = now
        self._let_through(found.key)
        return found.key

    def _let_through(self, key: ApiKey) -> None:
        """Refuse a key that asks more often than it may."""
        per_s = key.requests_per_s or KEY_REQUESTS_PER_S
        most, now = max(per_s * KEY_BURST_S, 1.0), time.monotonic()
        bucket = self._buckets.pop(key.key_prefix, None) or _Bucket(most, now)
        tokens = min(most, bucket.tokens + (now - bucket.at) * per_s)
        is_through = tokens >= 1
        self._buckets[key.key_prefix] = _Bucket(tokens - 1 if is_through else tokens, now)
        if len(self._buckets) > KEY_CACHE_KEYS_MAX:
            self._buckets.popitem(last=False)
        if not is_through:
            seconds = math.ceil((1 - tokens) / per_s)
            raise Problem("too-many-requests", headers={"Retry-After": str(seconds)}, count=per_s)

    async def note_use(self) -> None:
        """Write when keys were used, every KEY_USED_FLUSH_S, until cancelled."""
        while True:
            await asyncio.sleep(KEY_USED_FLUSH_S)
            await self.flush_use()

    async def flush_use(self) -> None:
        """Write the noted uses now; kept for the next time if Postgres is away."""
        used, self._used_at = self._used_at, {}
        if not used:
            return
        try:
            await self._database.write(partial(keys.mark_used, used_at=used))
        except PostgresAwayError as error:
            self._used_at = used | self._used_at
            _log.warning("key_use_not_written", cause=error.where)

    def miss(self, key: ApiKey, noun: str) -> None:
        """Count a lookup that found nothing: guessing gets slow."""
        started, count = self._misses.pop((key.key_prefix, noun), (time.monotonic(), 0))
        if time.monotonic() - started > MINUTE_S:
            started, count = time.monotonic(), 0
        self._misses[key.key_prefix, noun] = (started, count + 1)
        if len(self._misses) > MISSES_KEYS_MAX:
            self._misses.popitem(last=False)

    def refuse_guessing(self, key: ApiKey, noun: str) -> None:
        """Refuse a key that missed too often in the last minute."""
        started, count = self._misses.get((key.key_prefix, noun), (0.0, 0))
        left_s = MINUTE_S - (time.monotonic() - started)
        if count >= MISSES_PER_MINUTE_MAX[noun] and left_s > 0:
            seconds = int(left_s) + 1
            raise Problem("too-many-misses", headers={"Retry-After": str(seconds)}, seconds=seconds)

    async def _find(self, prefix: str) -> Found | None:
        known = self._known.get(prefix)
        if known is not None and time.monotonic() - known.read_at < KEY_CACHE_S:
            return known.found
        # The age counts from before the read: a key revoked meanwhile is not kept longer.
        read_at = time.monotonic()
        found = await self._database.write(partial(keys.find, prefix=prefix))
        self._known[prefix] = _Known(read_at, found)
        self._known.move_to_end(prefix)
        if len(self._known) > KEY_CACHE_KEYS_MAX:
            self._known.popitem(last=False)
        return found


def channel_of(key: ApiKey, channel: str) -> str:
    """The channel a request names, if the key may act for it."""
    if key.channel is not None and key.channel != channel:
        raise Problem("foreign-channel")
    return channel


def viewer_of(key: ApiKey) -> Viewer:
    """How the key's holder sees members, orders and coupons."""
    return Viewer(key.channel, key.allows("member:all_channels"))


async def caller(request: Request, is_at_work: bool = True) -> ApiKey:
    """Who asks: the key of the request, or the person whose session it shows.

    is_at_work: a person does something; a stream that looks on keeps no session awake.
    """
    held = request.app.state.resources
    authorization = request.headers.get("authorization")
    if authorization is None and SESSION_COOKIE in request.cookies:
        return await held.sessions.identify(request, is_at_work)
    return await held.keyring.identify(authorization or "")


class Needs:
    """A dependency: who asks, a key or a person; refused without the scope."""

    def __init__(self, scope: str) -> None:
        self._scope = scope

    async def __call__(
        self, request: Request, _bearer: Annotated[object, Depends(bearer)]
    ) -> ApiKey:
        key = await caller(request)
        request.state.key_prefix = key.key_prefix
        if not key.allows(self._scope):
            raise Problem("scope-missing", scope=self._scope)
        return key


class OfTheHouse(Needs):
    """A key with the scope that is of no channel."""

    async def __call__(
        self, request: Request, _bearer: Annotated[object, Depends(bearer)]
    ) -> ApiKey:
        key = await super().__call__(request, _bearer)
        if key.channel is not None:
            raise Problem("foreign-channel")
        return key


def _unauthorized() -> Problem:
    return Problem("unauthorized", headers={"WWW-Authenticate": 'Bearer realm="hub"'})
