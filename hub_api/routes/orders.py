"""Orders: by id, or by the number a channel's shop gave."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from hub.domain import ids
from hub.domain.ids import Key
from hub.store.keys import ApiKey
from hub.store.reads import orders as reads
from hub.store.reads.viewer import Viewer
from hub_api.amounts import amount, id_text, quantity
from hub_api.keyring import Needs, channel_of, viewer_of
from hub_api.paging import PageOf, respond
from hub_api.problems import Fault, Problem
from hub_api.resources import Held

router = APIRouter(prefix="/v1/orders", tags=["orders"])
Reader = Annotated[ApiKey, Depends(Needs("orders:read"))]


class OrderHead(BaseModel):
    """An order without its lines; amounts are decimal strings in `currency`."""

    order_id: str
    channel: str
    shop: str
    order_number: str
    member_id: str | None = None
    place: str | None
    currency: str
    status: str
    payment_status: str
    fulfilment_status: str
    return_status: str
    gross: str | None
    discount: str | None
    total: str | None
    paid: str | None
    refunded: str | None
    placed_at: datetime | None
    paid_at: datetime | None
    fulfilled_at: datetime | None
    completed_at: datetime | None
    cancelled_at: datetime | None


class OrderLine(BaseModel):
    """A line; quantities are decimal strings of at most three decimals."""

    line: str
    sku: str
    name: str | None = Field(description="From the catalog; null if it does not know the SKU")
    quantity: str
    fulfilled: str
    returned: str
    unit_price: str | None
    gross: str | None
    discount: str | None
    total: str | None


class Order(OrderHead):
    """An order with its lines."""

    lines: list[OrderLine]


class OrderNumber(BaseModel):
    """The name a shop gave an order."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    order_number: Annotated[str, Field(min_length=1, max_length=128)]
    channel: Annotated[str | None, Field(max_length=64, description="Default: the key's")] = None
    shop: Annotated[str | None, Field(max_length=64, description="Default: each of them")] = None


@router.get("/{order_id}", response_model=Order)
async def get_order(request: Request, order_id: UUID, key: Reader, held: Held) -> Response:
    """An order of the key's channel, or of a member it sees whole."""
    viewer = viewer_of(key)

    async def read(reader: Any) -> Order | None:
        found = await _whole(reader, viewer, [order_id.bytes])
        return found[0] if found else None

    order = await held.database.read(read)
    if order is None:
        raise Problem("not-found")
    return respond(request, order)


@router.get("", response_model=PageOf[Order])
async def find_orders(
    request: Request, key: Reader, held: Held, wanted: Annotated[OrderNumber, Query()]
) -> Response:
    """Orders by number: one for each shop of the channel that used it, or the one of `shop`."""
    channel = wanted.channel or key.channel
    if channel is None:
        raise Problem("invalid", [Fault("channel", "the key is of no channel: name one")])
    channel_of(key, channel)
    viewer = viewer_of(key)

    async def read(reader: Any) -> list[Order]:
        shops = [wanted.shop] if wanted.shop else await reads.shops(reader, channel)
        order_ids = [ids.order_id(channel, shop, wanted.order_number) for shop in shops]
        return await _whole(reader, viewer, order_ids)

    found = await held.database.read(read)
    return respond(request, PageOf[Order](items=found, next_cursor=None))


def head_fields(row: dict[str, Any]) -> dict[str, Any]:
    """The fields of an `OrderHead` from a row of the store."""
    currency = row["currency"]
    amounts = {
        name: amount(row[f"{name}_minor"], currency)
        for name in ("gross", "discount", "total", "paid", "refunded")
    }
    named = {"order_id": ids.text(row["order_id"]), "member_id": id_text(row.get("member_id"))}
    return row | amounts | named


async def _whole(reader: Any, viewer: Viewer, order_ids: list[Key]) -> list[Order]:
    """These orders with their lines, as far as the viewer sees them."""
    heads = await reads.get(reader, viewer, order_ids)
    return [
        Order(
            **head_fields(row),
            lines=[
                _line(line, row["currency"]) for line in await reads.lines(reader, row["order_id"])
            ],
        )
        for row in heads
    ]


def _line(row: dict[str, Any], currency: str) -> OrderLine:
    return OrderLine(
        line=row["line"],
        sku=row["sku"],
        name=row["name"],
        quantity=quantity(row["quantity_milli"]),
        fulfilled=quantity(row["fulfilled_milli"]),
        returned=quantity(row["returned_milli"]),
        **{
            name: amount(row[f"{name}_minor"], currency)
            for name in ("unit_price", "gross", "discount", "total")
        },
    )
