"""What is decided about an order at once: another pick-up, money that goes back."""

from collections.abc import Awaitable, Callable
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Request
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from hub.domain.order_data import OrderName
from hub.store import order_commands
from hub.store.commands import Answer, Asked
from hub.store.keys import ApiKey
from hub.store.sealing import Vault
from hub_api import commands, requests
from hub_api.commands import IdempotencyKey
from hub_api.keyring import Needs
from hub_api.problems import Fault, Problem
from hub_api.resources import Held, Resources
from hub_api.routes.reservations import Name

router = APIRouter(prefix="/v1/orders", tags=["orders"])
OrderWriter = Annotated[ApiKey, Depends(Needs("orders:write"))]
Amount = Annotated[str, Field(min_length=1, max_length=24, examples=["30.00"])]
LINES_MAX = 200


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)


class NewPickup(_Body):
    """Where the order is picked up from now on; in another slot, if one is named."""

    place: Name
    slot_from: AwareDatetime | None = None
    slot_until: AwareDatetime | None = None


class LineAmount(_Body):
    """How much of it is for a line."""

    line: Name
    amount: Amount


class NewRefund(_Body):
    """Money that goes back, `refund_id` being the asker's name of it; of which lines, if it is
    known. A compensation may be more than was paid."""

    refund_id: Name
    amount: Amount
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")]
    kind: Literal["refund", "compensation"] = "refund"
    points: Annotated[int | None, Field(ge=0, le=10**12, strict=True)] = None
    lines: Annotated[list[LineAmount], Field(max_length=LINES_MAX, default_factory=list)]
    aftersale_id: Name | None = None
    reason: Annotated[str | None, Field(max_length=256)] = None


class Decided(BaseModel):
    """The order that was decided about."""

    order_id: str


@router.post("/{order_id}/pickup", openapi_extra=requests.schema_of(NewPickup))
async def post_pickup(
    request: Request, order_id: UUID, key: OrderWriter, held: Held, idempotency_key: IdempotencyKey
) -> Decided:
    """Agree on another store or time: what is committed moves along.

    409 once it was picked up, called off, or its cut-off is over."""
    wanted = await requests.read(request, held, NewPickup)
    if (wanted.slot_from is None) != (wanted.slot_until is None):
        raise Problem("invalid", [Fault("slot_until", "a slot has a begin and an end")])
    agreed: dict[str, Any] = {"place": wanted.place}
    if wanted.slot_from is not None:
        agreed["pickup"] = wanted.model_dump(include={"slot_from", "slot_until"})
    asked = commands.asked(request, key, idempotency_key, wanted)
    return await _decide(held, key, asked, (order_id, agreed, order_commands.change_pickup))


@router.post("/{order_id}/refunds", status_code=201, openapi_extra=requests.schema_of(NewRefund))
async def post_refund(
    request: Request, order_id: UUID, key: OrderWriter, held: Held, idempotency_key: IdempotencyKey
) -> Decided:
    """Let money go back. It is on its way until the channel tells `refund.succeeded` or `failed`.

    409 if all refunds together, those on their way too, would exceed what was paid."""
    wanted = await requests.read(request, held, NewRefund)
    said = wanted.model_dump(exclude_none=True)
    asked = commands.asked(request, key, idempotency_key, wanted)
    return await _decide(held, key, asked, (order_id, said, order_commands.refund))


Command = Callable[[Any, Vault, OrderName, dict[str, Any]], Awaitable[None]]


async def _decide(
    held: Resources, key: ApiKey, asked: Asked, what: tuple[UUID, dict[str, Any], Command]
) -> Decided:
    order_id, said, command = what

    async def work(connection: Any) -> Answer:
        order = await order_commands.order_of(connection, order_id.bytes)
        if order is None or key.channel not in (None, order.channel):
            raise Problem("not-found")
        await command(connection, held.vault, order, said)
        return {"order_id": str(order_id)}

    return Decided.model_validate(await commands.run(held, asked, work))
