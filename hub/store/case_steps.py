"""What people do with cases, in Postgres: open, assign, note, settle; and the commands for it.

Cases that open and close by the state of something are kept by `hub.store.cases`; what can be done
about which kind is in `hub.domain.case_kinds`.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import uuid4

import msgspec
from msgspec import Struct

from hub.domain import case_kinds, cases, ids, payloads
from hub.domain.cases import Action, Step
from hub.domain.decisions import Decision
from hub.domain.envelope import APPLIED, Event
from hub.domain.ids import Key
from hub.errors import HubError, Refused
from hub.store import approvals, commands
from hub.store.cases import Case, follow
from hub.store.db import Connection, Rows, queries
from hub.store.records import Work
from hub.store.sealing import Vault

_STEPS = Rows(
    "case_steps",
    key=("event_key",),
    columns={
        "event_key": "uuid",
        "case_id": "uuid",
        "type": "text",
        "made_by": "text",
        "made_at": "timestamptz",
        "data": "jsonb",
    },
)
_HANDLING = Rows(
    "case_handling",
    key=("case_id",),
    columns={
        "case_id": "uuid",
        "assignee": "text",
        "due_at": "timestamptz",
        "priority": "text",
        "settled": "jsonb",
    },
)


class CaseUnknown(HubError):
    """There is no case of this id."""


class Said(Struct, frozen=True):
    """Who does something with a case, and why."""

    by: str
    reason: str


class Assignment(Struct, frozen=True):
    """Whose a case is from now on, until when, and how pressing it is."""

    assignee: str | None
    due_at: datetime | None
    priority: str


class Settling(Struct, frozen=True):
    """How a case ends; given: points that make up for it, a decision."""

    action: Action
    given: Decision | None = None


async def apply(connection: Connection, work: Work) -> None:
    """Keep the new steps; what they come to opens and closes cases."""
    new = work.of("case")
    if not new:
        return
    await _STEPS.insert(connection, [_row(event) for event in new])
    touched = sorted({event.entity_key for event in new})
    steps: dict[Key, list[Step]] = {case_id: [] for case_id in touched}
    for row in await connection.fetch(queries("cases")["steps"], touched):
        data = msgspec.convert(row["data"], payloads.BY_TYPE[row["type"]])
        steps[row["case_id"]].append(Step(row["event_key"], row["type"], row["made_at"], data))
    handled = {case_id: cases.handle(listed) for case_id, listed in steps.items()}
    await _HANDLING.upsert(
        connection,
        [(key, h.assignee, h.due_at, h.priority, h.settled) for key, h in handled.items()],
    )
    for event in new:
        work.verdicts[event.key] = APPLIED
    await connection.execute(queries("cases")["settle"], touched, work.received_at)
    opened = {key: case for key, listed in steps.items() if (case := _manual(listed)) is not None}
    await follow(connection, opened, set(), work.received_at)


async def open_case(connection: Connection, vault: Vault, said: Said, what: tuple[str, str]) -> Key:
    """Open a case about something the hub cannot see; what: kind and key of its object."""
    case_id = uuid4().bytes
    named = {"object_kind": what[0], "object_key": what[1]}
    await _run(connection, vault, [_decision("case.opened", case_id, said, named)])
    return case_id


async def assign(
    connection: Connection, vault: Vault, said: Said, case_id: Key, to: Assignment
) -> None:
    """Give a case to somebody. Raises `CaseUnknown`."""
    await _known(connection, case_id)
    data = {name: value for name, value in msgspec.structs.asdict(to).items() if value is not None}
    await _run(connection, vault, [_decision("case.assigned", case_id, said, data)])


async def note(connection: Connection, vault: Vault, said: Said, case_id: Key) -> None:
    """Write down something worth knowing. Raises `CaseUnknown`."""
    await _known(connection, case_id)
    await _run(connection, vault, [_decision("case.noted", case_id, said, {})])


async def settle(
    connection: Connection, vault: Vault, said: Said, case_id: Key, settling: Settling
) -> Key | None:
    """End an open case by an action, with what makes up for it; all of it or nothing.

    Above the limit a second person has to agree first: the approval's id. Raises `CaseUnknown`,
    `Refused`.
    """
    row = await _known(connection, case_id)
    if row["state"] != "open":
        raise Refused("case_closed", "the case is closed")
    if settling.action not in case_kinds.kind(row["kind"]).actions:
        what = f"a case of kind {row['kind']} is not ended by {settling.action}"
        raise Refused("action_unfit", what)
    if (settling.action == "compensated") != (settling.given is not None):
        raise Refused("action_unfit", "to compensate, and only then, something has to be given")
    data = {"action": settling.action, "known": row["detail"]}
    settled = _decision("case.settled", case_id, said, data)
    if settling.given is None:
        await _run(connection, vault, [settled])
        return None
    given = settling.given
    wish = approvals.Wish("points", given.data["points"], [given, settled], said.by, said.reason)
    return await approvals.decide(connection, vault, wish)


async def _known(connection: Connection, case_id: Key) -> Any:
    row = await connection.fetchrow(queries("cases")["lock"], case_id)
    if row is None:
        raise CaseUnknown
    return row


async def _run(connection: Connection, vault: Vault, wanted: Sequence[Decision]) -> None:
    await commands.run(connection, vault, wanted)


def _decision(kind: str, case_id: Key, said: Said, data: dict[str, Any]) -> Decision:
    name = ids.text(case_id)
    named = {"case_id": name, "by": said.by, "reason": said.reason}
    return Decision(kind, "", "", name, named | data)


def _manual(steps: Sequence[Step]) -> Case | None:
    """The case that a person opened; None if it opened by itself."""
    opened = [step for step in steps if step.type == "case.opened"]
    if not opened:
        return None
    said = opened[0].data
    return Case("manual", said.object_kind, said.object_key, {"reason": said.reason})


def _row(event: Event) -> tuple[object, ...]:
    said = msgspec.to_builtins(event.data)
    return event.key, event.entity_key, event.type, event.data.by, event.occurred_at, said
