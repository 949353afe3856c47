"""The matching policy in Postgres: the newest version that was published, or the hub's own.

Who is a member follows from the facts and from it alone. So publishing one is a write that runs by
itself (`hub.store.supply.claim`), and looks again at everybody who shares anything with others.
What a policy says: `hub.domain.policy`.
"""

from functools import lru_cache
from typing import Any

import msgspec

from hub.domain import policy
from hub.domain.envelope import Event
from hub.domain.ids import Key
from hub.domain.policy import Policy
from hub.errors import Refused
from hub.store.db import Connection, queries
from hub.store.records import Work

PROFILES_MAX = 500_000
"""Profiles that share anything with others, which a publication looks at again at once: about a
gigabyte, and a minute in which nobody else writes."""


def is_policy(event: Event) -> bool:
    """Whether an event publishes a policy."""
    if event.type != "config.published":
        return False
    return (event.data.kind, event.data.name) == (policy.KIND, policy.NAME)


@lru_cache(maxsize=4)
def _of(text: str) -> Policy:
    return policy.read(msgspec.json.decode(text))


def of(text: str | None) -> Policy:
    """The policy that a published document is, in JSON, read once for all writes; the hub's own for
    None."""
    return _of(text) if text is not None else policy.default()


async def in_force(connection: Connection) -> Policy:
    """The policy there is now."""
    return of(await connection.fetchval(queries("membership")["policy_in_force"]))


async def follow_published(connection: Connection, work: Work) -> set[Key]:
    """Where this write publishes a policy, it is in force for the rest of the write: the profiles
    to look at again, all that share anything with others. Raises `Refused`."""
    published = [event for event in work.of("config") if is_policy(event)]
    if not published:
        return set()
    work.policy = await in_force(connection)
    if work.is_decision and any(event.data.valid_from is not None for event in published):
        raise Refused("config_at_once", "a matching policy is in force at once: say no time")
    rows: list[Any] = await connection.fetch(queries("membership")["sharing"], PROFILES_MAX + 1)
    if work.is_decision and len(rows) > PROFILES_MAX:
        reason = f"more than {PROFILES_MAX:,} profiles share something with others"
        raise Refused("too_many_profiles", reason)
    return {row["profile_id"] for row in rows}
