"""What people ruled about pairs of profiles, in Postgres: the last word on each.

What follows from it: `hub.domain.matching`.
"""

from datetime import datetime

from hub.domain import ids, members
from hub.domain.ids import Key
from hub.store import log
from hub.store.db import Connection, Rows, queries
from hub.store.folding import refold
from hub.store.records import Work
from hub.store.sealing import Vault

_RULINGS = Rows(
    "member_rulings",
    key=("pair_key",),
    columns={
        "pair_key": "uuid",
        "left_profile": "uuid",
        "right_profile": "uuid",
        "is_one": "boolean",
        "reason": "text",
        "ruled_at": "timestamptz",
        "event_key": "uuid",
    },
)


async def keep(connection: Connection, vault: Vault, work: Work) -> set[Key]:
    """Keep what was ruled about pairs of profiles; the profiles."""
    new = work.of("pair")
    if not new:
        return set()
    epoch = datetime.fromtimestamp(0, work.received_at.tzinfo)
    since = {event.entity_key: epoch for event in new}
    past = await log.history(connection, vault, "pair", since, work.first_log_id)
    _, now = refold(work, new, past, members.fold_rulings)
    rows = []
    for key, folded in sorted(now.items()):
        if (said := folded.state) is not None:
            left, right = ids.profile_id(*said.data.left), ids.profile_id(*said.data.right)
            reason = said.data.reason
            rows.append((key, left, right, said.is_one, reason, said.at, said.event_key))
    await _RULINGS.upsert(connection, rows)
    ruled = {profile for row in rows for profile in row[1:3]}
    # As those who show identifiers do: two writes about one profile follow each other.
    await connection.fetch(queries("members")["lock_profiles"], sorted(ruled))
    return ruled
