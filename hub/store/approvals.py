"""Decisions that wait for a second person, in Postgres, and the commands to ask and to agree.

Above which limits: `hub.domain.approvals`. What waits is kept whole, and decided once granted.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import uuid4

import msgspec
from msgspec import Struct

from hub.domain import approvals, ids
from hub.domain.approvals import Folded
from hub.domain.decisions import Decision
from hub.domain.ids import Key
from hub.errors import HubError, Refused
from hub.store import cases, commands, configs, log
from hub.store.db import Connection, Rows, queries
from hub.store.folding import refold
from hub.store.records import Work
from hub.store.sealing import Vault
from hub.store.wallets import now

_APPROVALS = Rows(
    "approvals",
    key=("approval_id",),
    columns={
        "approval_id": "uuid",
        "ledger": "text",
        "amount": "bigint",
        "decisions": "jsonb",
        "reason": "text",
        "asked_by": "text",
        "asked_at": "timestamptz",
        "status": "text",
        "ended_by": "text",
        "ended_reason": "text",
        "ended_at": "timestamptz",
        "event_count": "int",
        "first_received_at": "timestamptz",
    },
)


class ApprovalUnknown(HubError):
    """There is no approval of this id."""


class Wish(Struct, frozen=True):
    """What somebody wants to decide: in which ledger, how much of it, and why."""

    ledger: str
    amount: int
    decisions: Sequence[Decision]
    by: str
    reason: str


async def apply(connection: Connection, vault: Vault, work: Work) -> None:
    """Fold the new events of approvals; one that is asked and not ended is a case."""
    new = work.of("approval")
    if not new:
        return
    wanted = sorted({event.entity_key for event in new})
    rows = await connection.fetch(queries("cases")["lock_approvals"], wanted)
    since: dict[Key, datetime] = {row["approval_id"]: row["first_received_at"] for row in rows}
    since |= await log.parked_since(connection, [key for key in wanted if key not in since])
    past = await log.history(connection, vault, "approval", since, work.first_log_id)
    _, now = refold(work, new, past, approvals.fold)
    first_at = {key: min(since.get(key, work.received_at), work.received_at) for key in wanted}
    made = [_row(key, now[key], first_at[key]) for key in wanted if now[key].approval is not None]
    await _APPROVALS.upsert(connection, made)
    waiting = {ids.text(key): _case(folded) for key, folded in now.items()}
    await cases.follow_objects(connection, "approval", "approval", waiting, work.received_at)


async def decide(connection: Connection, vault: Vault, wish: Wish) -> Key | None:
    """Decide it if one person may; otherwise ask for a second: the approval's id."""
    configured = await configs.current(connection, "approvals", await now(connection))
    limit = approvals.limit_of(wish.ledger, configured)
    if limit is None or wish.amount <= limit:
        await commands.run(connection, vault, wish.decisions)
        return None
    approval_id = uuid4().bytes
    data = {
        "ledger": wish.ledger,
        "amount": wish.amount,
        "decisions": [msgspec.to_builtins(decision) for decision in wish.decisions],
        "reason": wish.reason,
    }
    asked = _decision("approval.asked", approval_id, wish.by, data)
    await commands.run(connection, vault, [asked])
    return approval_id


async def grant(connection: Connection, vault: Vault, approval_id: Key, by: str) -> None:
    """A second person agrees: what waited is decided now, or nothing changes.

    Raises `ApprovalUnknown`, `Refused`.
    """
    row = await _asked(connection, approval_id)
    if row["asked_by"] == by:
        raise Refused("second_person", "a second person has to agree, not the one who asked")
    waiting = [msgspec.convert(one, Decision) for one in row["decisions"]]
    granted = _decision("approval.granted", approval_id, by, {})
    await commands.run(connection, vault, [granted, *waiting])


async def decline(
    connection: Connection, vault: Vault, approval_id: Key, by: str, reason: str
) -> None:
    """What waited is not decided; who asked may decline it as well. Raises like `grant`."""
    await _asked(connection, approval_id)
    data = {"reason": reason}
    await commands.run(connection, vault, [_decision("approval.declined", approval_id, by, data)])


async def _asked(connection: Connection, approval_id: Key) -> dict[str, Any]:
    # Whoever is second waits here, and then sees how it ended.
    await log.claim(connection, [approval_id])
    row = await connection.fetchrow(queries("cases")["approval"], approval_id)
    if row is None:
        raise ApprovalUnknown
    if row["status"] != "asked":
        raise Refused("approval_ended", f"it was {row['status']} before")
    return dict(row)


def _decision(kind: str, approval_id: Key, by: str, data: dict[str, Any]) -> Decision:
    name = ids.text(approval_id)
    return Decision(kind, "", "", name, {"approval_id": name, "by": by} | data)


def _case(folded: Folded) -> dict[str, object] | None:
    approval = folded.approval
    if approval is None or approval.status != "asked":
        return None
    return {
        "ledger": approval.ledger,
        "amount": approval.amount,
        "reason": approval.reason,
        "asked_by": approval.asked_by,
    }


def _row(key: Key, folded: Folded, first_received_at: datetime) -> tuple[object, ...]:
    approval = folded.approval
    assert approval is not None
    return (key, *msgspec.structs.astuple(approval), len(folded.verdicts), first_received_at)
