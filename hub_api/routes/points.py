"""Points spent on orders: at once, or held first and captured later."""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Annotated, Any, NamedTuple
from uuid import uuid4

from fastapi import APIRouter, Depends, Path, Request
from pydantic import BaseModel, ConfigDict, Field

from hub.domain import ids
from hub.domain.decisions import Decision
from hub.store import approvals, spending, wallets
from hub.store.approvals import Wish
from hub.store.commands import Answer
from hub.store.keys import ApiKey
from hub.store.spending import Asked
from hub_api import commands, requests
from hub_api.commands import IdempotencyKey
from hub_api.keyring import Needs, channel_of
from hub_api.problems import Fault, Problem
from hub_api.resources import Held, Resources
from hub_api.routes.reservations import TTL_S_DEFAULT, TTL_S_MAX, Name, Order, Where

router = APIRouter(prefix="/v1/points", tags=["points"])
Spender = Annotated[ApiKey, Depends(Needs("points:write"))]
POINTS_MAX = 10**12
Points = Annotated[int, Field(ge=1, le=POINTS_MAX, strict=True)]
HoldId = Annotated[str, Path(min_length=1, max_length=128)]


class NewSpending(Order):
    """Points of a member, named by an account of the channel, to be spent on an order."""

    account: Name
    points: Points


class NewHold(NewSpending):
    """Points to be set aside, and for how long."""

    ttl_s: Annotated[int, Field(ge=1, le=TTL_S_MAX)] = TTL_S_DEFAULT


class NewCapture(BaseModel):
    """How many of the held points are spent; all of them unless said."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    points: Points | None = None


class Spending(BaseModel):
    """Points that were spent."""

    status: str = Field(description="spent, or confirmed: the channel had reported it before")
    points: int


class NewAdjustment(Where):
    """Points to be given to an account by hand, or taken (below 0), and why."""

    account: Name
    points: Annotated[int, Field(ge=-POINTS_MAX, le=POINTS_MAX, strict=True)]
    reason: Annotated[str, Field(min_length=1, max_length=256)]


class Adjustment(BaseModel):
    """Points given or taken by hand."""

    status: str = Field(description="adjusted, or needs_approval: a second person has to agree")
    points: int
    approval_id: str | None = None


class Hold(BaseModel):
    """A hold as it is now."""

    hold_id: str
    status: str = Field(description="held, captured or voided")
    points: int
    captured_points: int = 0
    expires_at: datetime | None = None


@router.post("/spend", status_code=201, openapi_extra=requests.schema_of(NewSpending))
async def spend(
    request: Request, key: Spender, held: Held, idempotency_key: IdempotencyKey
) -> Spending:
    """Spend points on an order, once; 409 if the member has fewer, and nothing is spent then."""
    wanted = await requests.read(request, held, NewSpending)
    order = _asked(key, wanted)
    asked = commands.asked(request, key, idempotency_key, wanted)

    async def work(connection: Any) -> Answer:
        status = "spent"
        if held.settings.is_mastered_by_platform(order.channel, "points"):
            await spending.report(connection, held.vault, order)
        elif not await spending.spend(connection, held.vault, order):
            status = "confirmed"
        return {"status": status, "points": order.points}

    return Spending.model_validate(await commands.run(held, asked, work))


@router.post("/adjustments", status_code=201, openapi_extra=requests.schema_of(NewAdjustment))
async def adjust(
    request: Request, key: Spender, held: Held, idempotency_key: IdempotencyKey
) -> Adjustment:
    """Give or take points by hand; above the limit it waits for a second person to agree."""
    wanted = await requests.read(request, held, NewAdjustment)
    channel = _channel(key, wanted.channel)
    data = {"account": wanted.account, "points": wanted.points, "reason": wanted.reason}
    decided = Decision("points.adjusted", channel, wanted.shop, wanted.account, data)
    wish = Wish("points", abs(wanted.points), [decided], key.key_prefix, wanted.reason)
    asked = commands.asked(request, key, idempotency_key, wanted)

    async def work(connection: Any) -> Answer:
        await wallets.refuse_unknown(connection, ids.profile_id(channel, wanted.account))
        approval = await approvals.decide(connection, held.vault, wish)
        if approval is None:
            return {"status": "adjusted", "points": wanted.points}
        waits = {"status": "needs_approval", "approval_id": ids.text(approval)}
        return waits | {"points": wanted.points}

    return Adjustment.model_validate(await commands.run(held, asked, work))


@router.post("/holds", status_code=201, openapi_extra=requests.schema_of(NewHold))
async def hold(request: Request, key: Spender, held: Held, idempotency_key: IdempotencyKey) -> Hold:
    """Set points aside for an order; they are free again if nobody captures them in time."""
    wanted = await requests.read(request, held, NewHold)
    order = _asked(key, wanted)
    asked = commands.asked(request, key, idempotency_key, wanted)

    async def work(connection: Any) -> Answer:
        hold_id = str(uuid4())
        length = timedelta(seconds=wanted.ttl_s)
        expires_at = await spending.hold(connection, held.vault, order, hold_id, length)
        return {
            "hold_id": hold_id,
            "status": "held",
            "points": order.points,
            "expires_at": expires_at,
        }

    return Hold.model_validate(await commands.run(held, asked, work))


@router.post("/holds/{hold_id}/capture", openapi_extra=requests.schema_of(NewCapture))
async def capture(
    request: Request, hold_id: HoldId, key: Spender, held: Held, idempotency_key: IdempotencyKey
) -> Hold:
    """Spend the held points, or so many of them; 409 once the hold is over."""
    wanted = await requests.read(request, held, NewCapture)
    asked = commands.asked(request, key, idempotency_key, wanted)

    async def work(connection: Any, row: Any) -> Answer:
        points = wanted.points or row["points"]
        await spending.capture(connection, held.vault, row, points)
        return _ended(row, "captured") | {"captured_points": points}

    return await _on_hold(held, key, asked, _Ending(hold_id, work))


@router.post("/holds/{hold_id}/void")
async def void(
    request: Request, hold_id: HoldId, key: Spender, held: Held, idempotency_key: IdempotencyKey
) -> Hold:
    """Give the held points free again."""
    asked = commands.asked(request, key, idempotency_key, None)

    async def work(connection: Any, row: Any) -> Answer:
        await spending.void(connection, held.vault, row)
        return _ended(row, "voided")

    return await _on_hold(held, key, asked, _Ending(hold_id, work))


class _Ending(NamedTuple):
    hold_id: str
    work: Callable[[Any, Any], Awaitable[Answer]]


async def _on_hold(held: Resources, key: ApiKey, asked: commands.Asked, ending: _Ending) -> Hold:
    async def work(connection: Any) -> Answer:
        row = await spending.find_hold(connection, ending.hold_id)
        if row is None or key.channel not in (None, row["channel"]):
            raise Problem("not-found")
        return await ending.work(connection, row)

    return Hold.model_validate(await commands.run(held, asked, work))


def _ended(row: Any, status: str) -> Answer:
    return {"hold_id": row["hold_id"], "status": status, "points": row["points"]}


def _asked(key: ApiKey, wanted: NewSpending) -> Asked:
    channel = _channel(key, wanted.channel)
    return Asked(channel, wanted.shop, wanted.account, wanted.order_number, wanted.points)


def _channel(key: ApiKey, named: str | None) -> str:
    channel = named or key.channel
    if channel is None:
        raise Problem("invalid", [Fault("channel", "the key is of no channel: name one")])
    return channel_of(key, channel)
