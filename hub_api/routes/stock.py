"""Stock of an item by place, and of all items on one board."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Request
from pydantic import BaseModel, Field
from starlette.responses import Response

from hub.domain import ids
from hub.store import subscriptions
from hub.store.keys import ApiKey
from hub.store.reads import stock as reads
from hub.store.reads.stock import Sought
from hub_api.amounts import id_text, quantity
from hub_api.keyring import Needs, OfTheHouse
from hub_api.paging import PageAsked, PageOf, PageQuery, Pager, respond
from hub_api.problems import Problem
from hub_api.resources import Held

router = APIRouter(prefix="/v1/stock", tags=["stock"])
Reader = Annotated[ApiKey, Depends(Needs("stock:read"))]
HouseReader = Annotated[ApiKey, Depends(OfTheHouse("stock:read"))]
STOCK_TOLD = "stock.changed"


class Allotment(BaseModel):
    """What is kept of the item for a channel, or a live session of it."""

    channel: str
    session: str | None
    target: str
    buffer: str
    confirmed: str | None = Field(description="What the channel's own counter says")
    held: str = Field(description="What is left of the target, and the buffer")
    is_stale: bool = Field(description="More is kept of the item than is available")


class Batch(BaseModel):
    """What is left of a batch of fresh goods: those that expire first are given out first."""

    batch: str
    best_before: datetime | None
    quantity: str
    is_expired: bool = Field(description="It is not sold any more, and waits to be written off")


class Position(BaseModel):
    """An item at a place; quantities are decimal strings."""

    place: str
    place_name: str | None
    place_kind: str | None
    on_hand: str
    committed: str = Field(description="Ordered, not yet handed over")
    reserved: str
    unavailable: str = Field(description="Blocked, or returned and not inspected yet")
    incoming: str = Field(description="On its way to this place")
    expired: str = Field(description="Past its best-before, and not written off yet")
    available: str = Field(description="on_hand - committed - reserved - unavailable - expired")
    batches: list[Batch] = Field(description="Of fresh goods, what expires first before the rest")
    allotted: str = Field(description="Of what is available, kept for channels and live sessions")
    allotments: list[Allotment] = Field(description="Those of the key's channel")
    counted_at: datetime | None
    version: str = Field(description="Grows with each change of the position")


class ItemStock(PageOf[Position]):
    """Where an item lies, by place."""

    sku: str
    name: str | None
    unit: str | None


class BoardPosition(BaseModel):
    """A position in one line. `awaited_by`: subscriptions that are still to be told of it as it is
    now; `case_id`: its open case, if more was sold than there is."""

    sku: str
    name: str | None
    place: str
    place_name: str | None
    available: str
    on_hand: str
    committed: str
    reserved: str
    incoming: str
    allotted: str
    counted_at: datetime | None
    version: str
    awaited_by: list[str]
    case_id: str | None


class Receiver(BaseModel):
    """Who is told of stock, how many positions wait to be told, and when it was told last."""

    subscription_id: str
    channel: str | None
    label: str
    state: str
    waiting: int
    told_at: datetime | None


class Board(PageOf[BoardPosition]):
    """Stock of all items, and how far those are who are told of it."""

    receivers: list[Receiver]


class BoardQuery(PageQuery):
    """Which positions: of items whose SKU or name has the text, at a place, with nothing left."""

    text: Annotated[str | None, Field(min_length=1, max_length=64, pattern=r"^[^\x00]*$")] = None
    place: Annotated[str | None, Field(min_length=1, max_length=128, pattern=r"^[^\x00]*$")] = None
    is_short: bool = False


@router.get("", response_model=Board)
async def get_board(
    request: Request, key: HouseReader, held: Held, wanted: Annotated[BoardQuery, Query()]
) -> Response:
    """All positions, and who is still to be told. For keys of no channel, and people."""
    sought = Sought(wanted.text, wanted.place, wanted.is_short)
    pager = Pager(held.signer, f"stock board {sought}", tuple[str, str])
    page = pager.page(wanted)

    async def read(connection: Any) -> tuple[list[dict[str, Any]], list[Receiver]]:
        found = await reads.board(connection, sought, page)
        known = await subscriptions.listed(connection, None)
        told_of = {one["subscription_id"]: one for one in known if STOCK_TOLD in one["types"]}
        told = await reads.told(connection, list(told_of))
        receivers = [
            Receiver.model_validate(
                told_of[one["subscription_id"]]
                | one
                | {"subscription_id": ids.text(one["subscription_id"])}
            )
            for one in told
        ]
        return found, receivers

    found, receivers = await held.database.write(read)
    shown, next_cursor = pager.cut(found, page, ("sku", "place"))
    items = [_board_position(row) for row in shown]
    return respond(request, Board(items=items, next_cursor=next_cursor, receivers=receivers))


@router.get("/{sku:path}", response_model=ItemStock)
async def get_stock(
    request: Request,
    sku: Annotated[str, Path(min_length=1, max_length=128)],
    key: Reader,
    held: Held,
    wanted: PageAsked,
) -> Response:
    """Stock of an item by place. Stock belongs to no channel: every key sees all places."""
    pager = Pager(held.signer, f"stock {sku}", tuple[str])
    page = pager.page(wanted)

    async def read(reader: Any) -> tuple[dict[str, Any] | None, list[dict[str, Any]]]:
        return await reads.item(reader, sku), await reads.positions(reader, sku, page, key.channel)

    item, found = await held.database.read(read)
    if item is None:
        raise Problem("not-found")
    shown, next_cursor = pager.cut(found, page, ("place",))
    positions = [_position(row) for row in shown]
    stock = ItemStock(
        sku=sku, name=item["name"], unit=item["unit"], items=positions, next_cursor=next_cursor
    )
    return respond(request, stock)


def _board_position(row: dict[str, Any]) -> BoardPosition:
    return BoardPosition(
        sku=row["sku"],
        name=row["name"],
        place=row["place"],
        place_name=row["place_name"],
        available=quantity(_available_milli(row)),
        on_hand=quantity(row["on_hand_milli"]),
        committed=quantity(row["committed_milli"]),
        reserved=quantity(row["reserved_milli"]),
        incoming=quantity(row["incoming_milli"]),
        allotted=quantity(row["allotted_milli"] or 0),
        counted_at=row["counted_at"],
        version=str(row["version"]),
        awaited_by=[ids.text(one) for one in row["awaited_by"]],
        case_id=id_text(row["case_id"]),
    )


def _available_milli(row: dict[str, Any]) -> int:
    taken = row["committed_milli"] + row["reserved_milli"] + row["unavailable_milli"]
    return row["on_hand_milli"] - taken


def _position(row: dict[str, Any]) -> Position:
    available = _available_milli(row)
    batches = row["batches"] or []
    expired = sum(one["left_milli"] for one in batches if one["is_expired"])
    return Position(
        place=row["place"],
        place_name=row["place_name"],
        place_kind=row["place_kind"],
        on_hand=quantity(row["on_hand_milli"]),
        committed=quantity(row["committed_milli"]),
        reserved=quantity(row["reserved_milli"]),
        unavailable=quantity(row["unavailable_milli"]),
        incoming=quantity(row["incoming_milli"]),
        expired=quantity(expired),
        available=quantity(available - expired),
        batches=[_batch(one) for one in batches],
        allotted=quantity(row["allotted_milli"] or 0),
        allotments=[_allotment(one) for one in row["allotments"] or []],
        counted_at=row["counted_at"],
        version=str(row["version"]),
    )


def _batch(row: dict[str, Any]) -> Batch:
    return Batch(
        batch=row["batch"],
        best_before=row["best_before"],
        quantity=quantity(row["left_milli"]),
        is_expired=row["is_expired"],
    )


def _allotment(row: dict[str, Any]) -> Allotment:
    confirmed = row["confirmed_milli"]
    return Allotment(
        channel=row["channel"],
        session=row["session"],
        target=quantity(row["target_milli"]),
        buffer=quantity(row["buffer_milli"]),
        confirmed=quantity(confirmed) if confirmed is not None else None,
        held=quantity(row["held_milli"]),
        is_stale=row["is_stale"],
    )
