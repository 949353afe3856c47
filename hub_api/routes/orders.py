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
from hub_api.paging import PageAsked, PageOf, Pager, respond
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


class Refund(BaseModel):
    """Money that went back or is on its way, and the points with it."""

    refund_id: str
    kind: str = Field(description="refund, or compensation: beyond what was paid")
    status: str
    amount: str | None
    points: int
    aftersale_id: str | None
    asked_at: datetime
    ended_at: datetime | None


class Aftersale(BaseModel):
    """What the buyer wanted after the sale."""

    aftersale_id: str
    kind: str
    status: str
    amount: str | None
    requested_at: datetime
    ended_at: datetime | None


class Tender(BaseModel):
    """What pays a part of the total instead of money."""

    kind: str
    amount: str | None
    points: int
    coupon: str | None


class Deposit(BaseModel):
    """A part paid ahead; `earnest` is lost by who breaks the sale."""

    kind: str
    amount: str | None
    balance_due_at: datetime
    forfeited: str | None


class Pickup(BaseModel):
    """When it is picked up, and until when that can be changed."""

    slot_from: datetime
    slot_until: datetime
    cut_off: datetime | None


class Order(OrderHead):
    """An order with its lines, and what few orders have."""

    lines: list[OrderLine]
    is_paid_on_delivery: bool = False
    tenders: list[Tender] = []
    deposit: Deposit | None = None
    pickup: Pickup | None = None
    session_id: str | None = None
    anchor: str | None = None
    no_show_at: datetime | None = None
    parent_id: str | None = Field(None, description="The order it was split from")
    origin_id: str | None = Field(None, description="The order it is a report of, which counts")
    refunding: str | None = Field(None, description="Refunds on their way")
    compensated: str | None = None
    refunds: list[Refund] = []
    aftersales: list[Aftersale] = []


class OrderHappening(BaseModel):
    """What happened to an order, to points spent or coupons used on it, in whichever system."""

    occurred_at: datetime
    received_at: datetime
    type: str
    channel: str
    shop: str
    object_kind: str
    object_id: str
    outcome: str
    reason: str | None = Field(description="Why it was ignored")


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


@router.get("/{order_id}/timeline", response_model=PageOf[OrderHappening])
async def get_timeline(
    request: Request, order_id: UUID, key: Reader, held: Held, page: PageAsked
) -> Response:
    """What happened to the order in all systems, the newest first: also what was ignored, and why.

    Tells what happened and when, never the event itself.
    """
    viewer = viewer_of(key)
    pager = Pager(held.signer, f"order timeline {order_id} {viewer}", tuple[datetime, bytes])
    wanted = pager.page(page)

    async def read(reader: Any) -> list[dict[str, Any]]:
        if not await reads.get(reader, viewer, [order_id.bytes]):
            raise Problem("not-found")
        return await reads.timeline(reader, viewer, order_id.bytes, wanted)

    found = await held.database.read(read)
    rows, cursor = pager.cut(found, wanted, ("occurred_at", "event_key"))
    items = [
        OrderHappening.model_validate(row | {"object_id": ids.text(row["object_id"])})
        for row in rows
    ]
    return respond(request, PageOf[OrderHappening](items=items, next_cursor=cursor))


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
    found = []
    for row in await reads.get(reader, viewer, order_ids):
        order_id, currency = row["order_id"], row["currency"]
        lines = [_line(line, currency) for line in await reads.lines(reader, order_id)]
        details, refunds, aftersales = await reads.beside(reader, order_id)
        shown = _details(details, currency) if details is not None else {}
        shown["refunds"] = [_money(one, currency) for one in refunds]
        shown["aftersales"] = [_money(one, currency) for one in aftersales]
        found.append(Order.model_validate(head_fields(row) | shown | {"lines": lines}))
    return found


def _details(row: dict[str, Any], currency: str) -> dict[str, Any]:
    shown = dict(row) | {name: id_text(row[name]) for name in ("parent_id", "origin_id")}
    shown["tenders"] = [_money(tender, currency) for tender in row["tenders"] or ()]
    shown["pickup"] = row if row["slot_from"] is not None else None
    for name in ("refunding", "compensated"):
        shown[name] = amount(row[f"{name}_minor"], currency)
    if row["deposit_kind"] is not None:
        shown["deposit"] = {
            "kind": row["deposit_kind"],
            "amount": amount(row["deposit_minor"], currency),
            "balance_due_at": row["balance_due_at"],
            "forfeited": amount(row["forfeited_minor"], currency),
        }
    return shown


def _money(row: dict[str, Any], currency: str) -> dict[str, Any]:
    return row | {"amount": amount(row["amount_minor"], currency)}


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
