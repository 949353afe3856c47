"""Deliveries: what subscribers were told, each attempt, and sending again."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
from fastapi import APIRouter, Depends, Query, Request
from pydantic import BaseModel, Field
from starlette.responses import Response

from hub.domain import ids
from hub.store import deliveries, delivery_bodies, subscriptions
from hub.store.deliveries import DeliveryUnknown
from hub.store.keys import ApiKey
from hub.store.rule_book import RuleBook
from hub_api.keyring import Needs
from hub_api.paging import PageOf, PageQuery, Pager, respond
from hub_api.problems import Problem
from hub_api.resources import Held, Resources

router = APIRouter(prefix="/v1/deliveries", tags=["deliveries"])
Reader = Annotated[ApiKey, Depends(Needs("subscriptions:read"))]
Writer = Annotated[ApiKey, Depends(Needs("subscriptions:write"))]


class DeliveryQuery(PageQuery):
    """Which deliveries: of one subscription, in one state."""

    subscription_id: UUID | None = None
    state: Literal["waiting", "delivered", "failed", "shadow"] | None = None


class Delivery(BaseModel):
    """One thing that one subscriber is told. `event_key`: as timelines name it; `state` `shadow`:
    it would be told, if the channel were live."""

    delivery_id: str
    subscription_id: str
    type: str
    event_key: str
    state: str
    attempts: int
    next_at: datetime = Field(description="When it is tried again, while it waits")
    is_replay: bool
    last_status: int | None
    last_error: str | None
    created_at: datetime
    ended_at: datetime | None


class WholeDelivery(Delivery):
    """The same, with what it says."""

    said: dict[str, Any] | None = Field(
        description="The CloudEvent as it is, or would be, sent now; null if nothing is left to say"
    )


class Attempt(BaseModel):
    """One try."""

    attempt: int
    attempted_at: datetime
    status: int | None = Field(description="Of HTTP; null if there was no answer")
    error: str | None
    duration_ms: float


class Attempts(BaseModel):
    """All tries of a delivery, the first first."""

    delivery_id: str
    attempts: list[Attempt]


@router.get("", response_model=PageOf[Delivery])
async def list_deliveries(
    request: Request, key: Reader, held: Held, wanted: Annotated[DeliveryQuery, Query()]
) -> Response:
    """What subscribers of the key's channel were told, the newest first."""
    pager = Pager(held.signer, f"deliveries {wanted.subscription_id} {wanted.state}", tuple[int])
    page = pager.page(wanted)
    owned = await _owned(held, key)
    if wanted.subscription_id is not None:
        owned &= {wanted.subscription_id.bytes}
    (before,) = page.keyset(1)
    rows = await held.database.read(
        lambda c: deliveries.listed(c, owned, wanted.state, before, page.limit)
    )
    shown, next_cursor = pager.cut(rows, page, ("seq",))
    found = PageOf[Delivery](items=[_shown(row) for row in shown], next_cursor=next_cursor)
    return respond(request, found)


@router.get("/{delivery_id}")
async def get_delivery(delivery_id: UUID, key: Reader, held: Held) -> WholeDelivery:
    """One delivery with what it says: bodies are made when they are sent, and not kept. What rules
    made of personal fields is masked."""
    await _refuse_foreign(held, key, delivery_id)

    async def read(connection: Any) -> tuple[dict[str, Any], Any]:
        found, row = await deliveries.one(connection, delivery_id.bytes)
        if found.rule is None:
            said = await delivery_bodies.bodies_of(connection, held.vault, [found], {})
            return row, said[found.delivery_id]
        about = (held.vault, RuleBook(held.settings.rule_address_list), found)
        return row, await delivery_bodies.by_rule(connection, *about, is_masked=True)

    row, said = await held.database.write(read)
    plain = msgspec.json.decode(msgspec.json.encode(said))
    return WholeDelivery.model_validate(_shown(row).model_dump() | {"said": plain})


@router.get("/{delivery_id}/attempts")
async def get_attempts(delivery_id: UUID, key: Reader, held: Held) -> Attempts:
    """Each try of a delivery, with what the receiver said."""
    await _refuse_foreign(held, key, delivery_id)
    rows = await held.database.read(lambda c: deliveries.attempts(c, delivery_id.bytes))
    tries = [Attempt.model_validate(row) for row in rows]
    return Attempts(delivery_id=str(delivery_id), attempts=tries)


@router.post("/{delivery_id}/retry", status_code=202)
async def retry(delivery_id: UUID, key: Writer, held: Held) -> Attempts:
    """Send one that ended again, under the same `webhook-id`. 409 if it waits anyway, or is stock:
    the newest is told by itself."""
    await _refuse_foreign(held, key, delivery_id)
    done = await held.database.write(lambda c: deliveries.retry(c, delivery_id.bytes))
    if not done:
        raise Problem("refused", reason="it waits already, or is stock", cause="not_ended")
    return Attempts(delivery_id=str(delivery_id), attempts=[])


async def _owned(held: Resources, key: ApiKey) -> set[ids.Key]:
    rows = await held.database.write(lambda c: subscriptions.listed(c, key.channel))
    return {row["subscription_id"] for row in rows}


async def _refuse_foreign(held: Resources, key: ApiKey, delivery_id: UUID) -> None:
    try:
        owner = await held.database.read(lambda c: deliveries.owner(c, delivery_id.bytes))
    except DeliveryUnknown:
        raise Problem("not-found") from None
    if owner not in await _owned(held, key):
        raise Problem("not-found")


def _shown(row: dict[str, Any]) -> Delivery:
    named = {name: ids.text(row[name]) for name in ("delivery_id", "subscription_id", "event_key")}
    return Delivery.model_validate(row | named)
