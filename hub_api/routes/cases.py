"""Cases: what needs a person, whose it is, what can be done about it and what was done.

They are of the house, not of a channel: keys of a channel cannot see them.
"""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from hub.domain import case_kinds, ids
from hub.domain.cases import Action
from hub.domain.decisions import Decision
from hub.domain.ids import Key
from hub.store import case_steps
from hub.store.case_steps import Assignment, CaseUnknown, Said, Settling
from hub.store.commands import Answer, Asked
from hub.store.keys import ApiKey
from hub.store.reads import cases as reads
from hub_api import commands, requests
from hub_api.commands import IdempotencyKey
from hub_api.keyring import OfTheHouse
from hub_api.paging import PageOf, PageQuery, Pager, respond
from hub_api.problems import Problem
from hub_api.resources import Held, Resources
from hub_api.routes.reservations import Name

router = APIRouter(prefix="/v1/cases", tags=["cases"])
POINTS_MAX = 10**6
Reason = Annotated[str, Field(min_length=1, max_length=256, pattern=r"^[^\x00]*$")]
KEYSET = tuple[datetime, bytes]


CaseReader = Annotated[ApiKey, Depends(OfTheHouse("cases:read"))]
CaseWriter = Annotated[ApiKey, Depends(OfTheHouse("cases:write"))]
Approver = Annotated[ApiKey, Depends(OfTheHouse("approvals:write"))]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    reason: Reason


class NewCase(_Body):
    """Something the hub cannot see: about which object."""

    object_kind: Name
    object_key: Name


class NewAssignment(_Body):
    """Whose it is from now on; nobody's without `assignee`."""

    assignee: Name | None = None
    due_at: Annotated[datetime | None, Field(examples=["2026-03-04T18:00:00+08:00"])] = None
    priority: Literal["low", "normal", "high"] = "normal"


class Note(_Body):
    """Something worth knowing."""


class Given(BaseModel):
    """Points that make up for it, to an account of a channel's shop."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    channel: Name
    shop: Name
    account: Name
    points: Annotated[int, Field(ge=1, le=POINTS_MAX, strict=True)]


class Settlement(_Body):
    """How the case ends; `given` if, and only if, somebody is compensated."""

    action: Action
    given: Given | None = None


class Repair(BaseModel):
    """A command that may mend what the case is about; it closes by itself then."""

    command: str
    title: str
    title_zh: str


class CaseHead(BaseModel):
    """A case as it is now."""

    case_id: str
    kind: str
    title: str
    title_zh: str
    object_kind: str
    object_key: str
    state: str
    detail: dict[str, Any]
    opened_at: datetime
    closed_at: datetime | None
    assignee: str | None
    due_at: datetime | None
    priority: str


class Step(BaseModel):
    """What somebody did with it."""

    type: str
    by: str
    at: datetime
    reason: str
    detail: dict[str, Any]


class Case(CaseHead):
    """A case with what can be done and what was done."""

    repairs: list[Repair]
    actions: list[str]
    history: list[Step]


class CaseQuery(PageQuery):
    """Which cases are asked for."""

    state: Literal["open", "closed"] | None = "open"
    kind: Name | None = None
    assignee: Name | None = None
    object_kind: Name | None = None
    object_key: Name | None = None


class Made(BaseModel):
    """The case that was changed; with `approval_id`: once a second person has agreed."""

    case_id: str
    approval_id: str | None = None


@router.get("", response_model=PageOf[CaseHead])
async def get_cases(
    request: Request, key: CaseReader, held: Held, wanted: Annotated[CaseQuery, Query()]
) -> Response:
    """The open cases, the oldest first, or those asked for."""
    filters = wanted.model_dump(exclude={"limit", "cursor"})
    listing = "cases " + "/".join(str(value) for value in filters.values())
    pager = Pager(held.signer, listing, KEYSET)
    page = pager.page(wanted)
    found = await held.database.read(lambda connection: reads.listed(connection, filters, page))
    shown, cursor = pager.cut(found, page, ("opened_at", "case_id"))
    heads = [CaseHead.model_validate(_head(row)) for row in shown]
    return respond(request, PageOf[CaseHead](items=heads, next_cursor=cursor))


@router.get("/{case_id}", response_model=Case)
async def get_case(request: Request, case_id: UUID, key: CaseReader, held: Held) -> Response:
    """One case: what it is about, what may mend it, and its history."""
    row, steps = await held.database.read(lambda connection: _read(connection, case_id.bytes))
    if row is None:
        raise Problem("not-found")
    kind = case_kinds.kind(row["kind"])
    repairs = [
        Repair(command=one.command, title=one.words.en, title_zh=one.words.zh)
        for one in kind.repairs
    ]
    shown = _head(row) | {"repairs": repairs, "actions": kind.actions}
    return respond(request, Case.model_validate(shown | {"history": [_step(s) for s in steps]}))


@router.post("", status_code=201, openapi_extra=requests.schema_of(NewCase))
async def post_case(
    request: Request, key: CaseWriter, held: Held, idempotency_key: IdempotencyKey
) -> Made:
    """Open a case about something the hub cannot see."""
    wanted = await requests.read(request, held, NewCase)
    asked = commands.asked(request, key, idempotency_key, wanted)

    async def work(connection: Any) -> Answer:
        said = Said(key.key_prefix, wanted.reason)
        what = (wanted.object_kind, wanted.object_key)
        case_id = await case_steps.open_case(connection, held.vault, said, what)
        return {"case_id": ids.text(case_id)}

    return Made.model_validate(await commands.run(held, asked, work))


@router.post("/{case_id}/assign", openapi_extra=requests.schema_of(NewAssignment))
async def post_assignment(
    request: Request, case_id: UUID, key: CaseWriter, held: Held, idempotency_key: IdempotencyKey
) -> Made:
    """Give the case to somebody, with a time and a priority."""
    wanted = await requests.read(request, held, NewAssignment)
    to = Assignment(wanted.assignee, wanted.due_at, wanted.priority)
    said = Said(key.key_prefix, wanted.reason)

    async def work(connection: Any) -> None:
        await case_steps.assign(connection, held.vault, said, case_id.bytes, to)

    return await _on(held, commands.asked(request, key, idempotency_key, wanted), case_id, work)


@router.post("/{case_id}/notes", openapi_extra=requests.schema_of(Note))
async def post_note(
    request: Request, case_id: UUID, key: CaseWriter, held: Held, idempotency_key: IdempotencyKey
) -> Made:
    """Write something down. A note ends nothing."""
    wanted = await requests.read(request, held, Note)
    said = Said(key.key_prefix, wanted.reason)

    async def work(connection: Any) -> None:
        await case_steps.note(connection, held.vault, said, case_id.bytes)

    return await _on(held, commands.asked(request, key, idempotency_key, wanted), case_id, work)


@router.post("/{case_id}/settle", openapi_extra=requests.schema_of(Settlement))
async def post_settlement(
    request: Request, case_id: UUID, key: CaseWriter, held: Held, idempotency_key: IdempotencyKey
) -> Made:
    """End it by an action, together with what makes up for it; it opens again if what is known
    of it changes."""
    wanted = await requests.read(request, held, Settlement)
    said = Said(key.key_prefix, wanted.reason)
    given = _given(wanted.given, wanted.reason) if wanted.given is not None else None
    settling = Settling(wanted.action, given)

    async def work(connection: Any) -> Key | None:
        return await case_steps.settle(connection, held.vault, said, case_id.bytes, settling)

    return await _on(held, commands.asked(request, key, idempotency_key, wanted), case_id, work)


async def _on(
    held: Resources, asked: Asked, case_id: UUID, work: Callable[[Any], Awaitable[Key | None]]
) -> Made:
    async def done(connection: Any) -> Answer:
        try:
            approval = await work(connection)
        except CaseUnknown:
            raise Problem("not-found") from None
        waits = {} if approval is None else {"approval_id": ids.text(approval)}
        return {"case_id": str(case_id)} | waits

    return Made.model_validate(await commands.run(held, asked, done))


async def _read(connection: Any, case_id: ids.Key) -> tuple[Any, list[Any]]:
    row = await reads.get(connection, case_id)
    return row, await reads.steps(connection, case_id) if row is not None else []


def _head(row: dict[str, Any]) -> dict[str, Any]:
    title = case_kinds.kind(row["kind"]).title
    shown = {"title": title.en, "title_zh": title.zh, "priority": row["priority"] or "normal"}
    return row | shown | {"case_id": ids.text(row["case_id"])}


def _step(row: dict[str, Any]) -> Step:
    beside = {k: v for k, v in row["data"].items() if k not in ("case_id", "by", "reason")}
    return Step(
        type=row["type"],
        by=row["made_by"],
        at=row["made_at"],
        reason=row["data"]["reason"],
        detail=beside,
    )


def _given(given: Given, reason: str) -> Decision:
    data = {"account": given.account, "points": given.points, "reason": reason}
    return Decision("points.adjusted", given.channel, given.shop, given.account, data)
