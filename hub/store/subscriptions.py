"""Subscriptions: who is told what, where, and signed by which secrets.

Not here: what is delivered by them (`hub.store.deliveries`), sending (`streams.deliveries`).
"""

import base64
import os
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from msgspec import Struct

from hub.domain.delivering import Wanted
from hub.domain.ids import Key
from hub.errors import HubError
from hub.store.db import Connection, queries
from hub.store.sealing import Vault

SECRET_BYTES = 32
SECRET_PREFIX = "whsec_"
OVERLAP = timedelta(days=1)
"""How long the secret before signs beside a new one."""
SUBSCRIPTIONS_MAX = 100
CHANGED = "hub_subscriptions"
"""Rung with the change itself, so that who spreads facts hears of it before any later fact."""
"""Of one channel; and so many of the house."""


class SubscriptionUnknown(HubError):
    """There is no such subscription, or it is another channel's."""


class TooManySubscriptions(HubError):
    """A channel has at most SUBSCRIPTIONS_MAX subscriptions."""


class NewSubscription(Struct, frozen=True):
    """What to tell whom. types: `order.paid`, `order.*` or `*`, and `stock.changed`."""

    channel: str | None
    label: str
    types: Sequence[str]
    target_url: str
    has_own_events: bool = False


class Active(Struct, frozen=True):
    """A subscription for which something is noted now. secrets: the newest first; is_held: what is
    noted waits (it is paused, or its channel switched off); is_shadow: it is never sent."""

    subscription_id: Key
    wanted: Wanted
    target_url: str
    secrets: tuple[str, ...]
    failures: int
    resumes_at: datetime | None
    is_held: bool
    is_shadow: bool = False

    def __repr__(self) -> str:
        return f"Active(target_url={self.target_url!r})"  # secrets stay out of logs


async def add(connection: Connection, vault: Vault, new: NewSubscription) -> tuple[Key, str]:
    """Keep a subscription: its id, and its secret, which is shown this once."""
    known = await listed(connection, new.channel)
    if sum(one["channel"] == new.channel for one in known) >= SUBSCRIPTIONS_MAX:
        raise TooManySubscriptions(mend="end one first")
    subscription_id = os.urandom(16)
    secret = _new_secret()
    async with connection.transaction():
        await connection.execute(
            queries("subscriptions")["add"],
            subscription_id,
            new.channel,
            new.label,
            sorted(set(new.types)),
            new.target_url,
            new.has_own_events,
            vault.wrap(secret.encode(), subscription_id),
        )
        await connection.execute(f"notify {CHANGED}")
    return subscription_id, secret


async def listed(
    connection: Connection, channel: str | None, subscription_id: Key | None = None
) -> list[dict[str, Any]]:
    """Subscriptions of a channel (None: all), the oldest first, without secrets."""
    rows = await connection.fetch(queries("subscriptions")["listed"], channel, subscription_id)
    return [dict(row) for row in rows]


async def set_state(connection: Connection, subscription_id: Key, state: str, reason: str) -> None:
    """Pause, resume, disable or end a subscription. What waits of a paused one waits on."""
    async with connection.transaction():
        await connection.execute(
            queries("subscriptions")["set_state"], subscription_id, state, reason or None
        )
        await connection.execute(f"notify {CHANGED}")


async def rotate(connection: Connection, vault: Vault, subscription_id: Key) -> str:
    """A new secret, shown this once; the one before signs beside it for OVERLAP."""
    secret = _new_secret()
    sealed = vault.wrap(secret.encode(), subscription_id)
    await connection.execute(queries("subscriptions")["rotate"], subscription_id, sealed, OVERLAP)
    return secret


async def active(connection: Connection, vault: Vault) -> list[Active]:
    """All for which something is noted now."""
    rows = await connection.fetch(queries("subscriptions")["active"])
    return [_active(row, vault) for row in rows]


async def note_failures(
    connection: Connection, subscription_id: Key, failures: int, resumes_at: datetime | None
) -> None:
    """How often in a row its receiver was away, and when to look again."""
    reason = "the receiver does not answer" if failures else None
    await connection.execute(
        queries("subscriptions")["note_failures"], subscription_id, failures, resumes_at, reason
    )


def _active(row: Any, vault: Vault) -> Active:
    owner = row["subscription_id"]
    sealed = [row["sealed_secret"], row["former_secret"]]
    return Active(
        owner,
        Wanted(row["channel"], frozenset(row["types"]), row["has_own_events"]),
        row["target_url"],
        tuple(vault.unwrap(one, owner).decode() for one in sealed if one is not None),
        row["failures"],
        row["resumes_at"],
        row["state"] == "paused" or row["channel_state"] == "off",
        row["channel_state"] in ("draft", "shadow"),
    )


def _new_secret() -> str:
    return SECRET_PREFIX + base64.b64encode(os.urandom(SECRET_BYTES)).decode()
