"""The second person's word on decisions above a limit."""

from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict

from hub.store import approvals
from hub.store.approvals import ApprovalUnknown
from hub.store.commands import Answer, Asked
from hub_api import commands, requests
from hub_api.commands import IdempotencyKey
from hub_api.problems import Problem
from hub_api.resources import Held, Resources
from hub_api.routes.cases import Approver, Reason

router = APIRouter(prefix="/v1/approvals", tags=["cases"])


class Declining(BaseModel):
    """Why not."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    reason: Reason


class Approval(BaseModel):
    """How it ended."""

    approval_id: str
    status: str


@router.post("/{approval_id}/grant")
async def grant(
    request: Request, approval_id: UUID, key: Approver, held: Held, idempotency_key: IdempotencyKey
) -> Approval:
    """Agree: what waited is decided now. 409 for who asked, and if it is not possible any more."""

    async def work(connection: Any) -> None:
        await approvals.grant(connection, held.vault, approval_id.bytes, key.key_prefix)

    asked = commands.asked(request, key, idempotency_key, None)
    return await _end(held, asked, (approval_id, "granted"), work)


@router.post("/{approval_id}/decline", openapi_extra=requests.schema_of(Declining))
async def decline(
    request: Request, approval_id: UUID, key: Approver, held: Held, idempotency_key: IdempotencyKey
) -> Approval:
    """Decline: nothing is decided."""
    wanted = await requests.read(request, held, Declining)

    async def work(connection: Any) -> None:
        by, reason = key.key_prefix, wanted.reason
        await approvals.decline(connection, held.vault, approval_id.bytes, by, reason)

    asked = commands.asked(request, key, idempotency_key, wanted)
    return await _end(held, asked, (approval_id, "declined"), work)


async def _end(
    held: Resources,
    asked: Asked,
    ending: tuple[UUID, str],
    work: Callable[[Any], Awaitable[None]],
) -> Approval:
    async def done(connection: Any) -> Answer:
        try:
            await work(connection)
        except ApprovalUnknown:
            raise Problem("not-found") from None
        return {"approval_id": str(ending[0]), "status": ending[1]}

    return Approval.model_validate(await commands.run(held, asked, done))
