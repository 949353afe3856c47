"""Stock held for an order that is not placed yet: reserve, commit, release."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, NamedTuple
from uuid import UUID

from fastapi import APIRouter, Depends, Request
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from hub.domain import ids, money
from hub.domain.distance import Point
from hub.domain.order_data import OrderName
from hub.store import reservations
from hub.store.commands import Answer, Asked
from hub.store.keys import ApiKey
from hub.store.reservations import Slot, Wanted
from hub.store.sealing import Vault
from hub_api import commands, requests
from hub_api.commands import IdempotencyKey
from hub_api.keyring import Needs, channel_of
from hub_api.problems import Fault, Problem
from hub_api.resources import Held, Resources

router = APIRouter(prefix="/v1/reservations", tags=["reservations"])
Reserver = Annotated[ApiKey, Depends(Needs("reservations:write"))]
TTL_S_DEFAULT = 15 * 60
TTL_S_MAX = 24 * 60 * 60
"""Longer than a day is no basket any more, but an order."""
ITEMS_MAX = 200

Name = Annotated[str, Field(min_length=1, max_length=128, pattern=r"^[^\x00-\x1f\x7f]+$")]


class Where(BaseModel):
    """Which channel (the key's, if it is of one) and shop a command is for."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    channel: Annotated[str | None, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,63}$")] = None
    shop: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]


class Order(Where):
    """Which order: its channel, shop and number."""

    order_number: Name


class Item(BaseModel):
    """So much of an item."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    sku: Name
    quantity: Annotated[str, Field(min_length=1, max_length=24, examples=["2", "0.5"])]
    made_to_order: bool = Field(False, description="It takes the slot's capacity instead of stock")


class Near(BaseModel):
    """About where the goods shall go: degrees, which are rounded to a kilometre."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    latitude: Annotated[float, Field(ge=-90, le=90)]
    longitude: Annotated[float, Field(ge=-180, le=180)]

    def point(self) -> Point:
        return Point(round(self.latitude, 2), round(self.longitude, 2))


class NewReservation(Order):
    """What to hold, where, and for how long."""

    place: Annotated[
        Name | None, Field(description="Without it, one that serves the shop (`shop_places`)")
    ] = None
    items: Annotated[list[Item], Field(min_length=1, max_length=ITEMS_MAX)]
    ttl_s: Annotated[int, Field(ge=1, le=TTL_S_MAX)] = TTL_S_DEFAULT
    slot_from: AwareDatetime | None = None
    near: Annotated[
        Near | None, Field(description="Without a place, the nearest that has all of it serves")
    ] = None

    def point(self) -> Point | None:
        """Where the goods shall go, if that is said."""
        return self.near.point() if self.near is not None else None

    def slot(self) -> Slot | None:
        """The slot that is asked for, with the items that are made for it."""
        made = frozenset(item.sku for item in self.items if item.made_to_order)
        if self.slot_from is None:
            if made:
                raise Problem("invalid", [Fault("slot_from", "what is made to order needs a slot")])
            return None
        return Slot(self.slot_from, made)


class Reservation(BaseModel):
    """A reservation as it is now."""

    reservation_id: str = Field(description="It is the order's id as well")
    status: str = Field(description="held, committed or released")
    place: str | None = Field(None, description="Where it is held")
    expires_at: datetime | None = None


@router.post("", status_code=201, openapi_extra=requests.schema_of(NewReservation))
async def reserve(
    request: Request, key: Reserver, held: Held, idempotency_key: IdempotencyKey
) -> Reservation:
    """Hold all items or none. Demand for an item is summed over the list.

    409 with the item that is short, if there is not enough; nothing is held then.
    """
    wanted = await requests.read(request, held, NewReservation)
    order = order_of(key, wanted)
    items = [(item.sku, milli_of(i, item)) for i, item in enumerate(wanted.items)]
    asked = commands.asked(request, key, idempotency_key, wanted)

    async def work(connection: Any) -> Answer:
        expires_at = datetime.now(UTC) + timedelta(seconds=wanted.ttl_s)
        content = Wanted(wanted.place, items, expires_at, wanted.slot(), wanted.point())
        place = await reservations.reserve(connection, held.vault, order, content)
        return _answer(order, "held") | {"expires_at": expires_at, "place": place}

    return Reservation.model_validate(await commands.run(held, asked, work))


@router.post("/{reservation_id}/commit")
async def commit(
    request: Request,
    reservation_id: UUID,
    key: Reserver,
    held: Held,
    idempotency_key: IdempotencyKey,
) -> Reservation:
    """The sale is made. The `order.placed` of the same order confirms it, now or before."""
    asked = commands.asked(request, key, idempotency_key, None)
    return await _end(held, key, asked, _Ending(reservation_id, "committed", reservations.commit))


@router.post("/{reservation_id}/release")
async def release(
    request: Request,
    reservation_id: UUID,
    key: Reserver,
    held: Held,
    idempotency_key: IdempotencyKey,
) -> Reservation:
    """Let go of what is held, for others to buy."""
    asked = commands.asked(request, key, idempotency_key, None)
    return await _end(held, key, asked, _Ending(reservation_id, "released", reservations.release))


class _Ending(NamedTuple):
    reservation_id: UUID
    status: str
    command: Callable[[Any, Vault, OrderName], Awaitable[None]]


async def _end(held: Resources, key: ApiKey, asked: Asked, ending: _Ending) -> Reservation:
    async def work(connection: Any) -> Answer:
        order = await reservations.order_of(connection, ending.reservation_id.bytes)
        if order is None or key.channel not in (None, order.channel):
            raise Problem("not-found")
        await ending.command(connection, held.vault, order)
        return _answer(order, ending.status)

    return Reservation.model_validate(await commands.run(held, asked, work))


def order_of(key: ApiKey, wanted: Order) -> OrderName:
    """The order that a key may act for."""
    channel = wanted.channel or key.channel
    if channel is None:
        raise Problem("invalid", [Fault("channel", "the key is of no channel: name one")])
    return OrderName(channel_of(key, channel), wanted.shop, wanted.order_number)


def milli_of(index: int, item: Item) -> int:
    """An item's quantity in thousandths; a problem names the field if it is none."""
    field = f"items[{index}].quantity"
    try:
        milli = money.milli(item.quantity)
    except money.BadNumber as bad:
        raise Problem("invalid", [Fault(field, str(bad))]) from None
    if milli <= 0:
        raise Problem("invalid", [Fault(field, f"'{item.quantity}' is not above 0")])
    return milli


def _answer(order: OrderName, status: str) -> Answer:
    return {"reservation_id": ids.text(order.key), "status": status}
