"""What both programs serve: their page, what is sold, orders by number, the shop's own desk, and
the address where the hub tells. They listen on this machine only: the desk asks for no password.
"""

import contextlib
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Cookie, Depends, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field
from starlette.responses import FileResponse, JSONResponse, Response, StreamingResponse
from starlette.staticfiles import StaticFiles

from samples import bakery, following
from samples.bakery import Cake
from samples.channel import Channel, Setup
from samples.following import Forged, TooSoon
from samples.hub_client import SHOP, HubError
from samples.shop import NotPossible, Order, total_fen

PAGES = Path(__file__).parent / "pages"
QUANTITY_MAX = 20
LIST_ROWS = 100
Text = Annotated[str, Field(min_length=1, max_length=64)]
Phone = Annotated[str, Field(pattern=r"^1\d{10}$", description="Of mainland China")]
Answer = dict[str, Any]


async def here(request: Request) -> Channel:
    """The channel of this program."""
    return request.app.state.channel


Here = Annotated[Channel, Depends(here)]
Session = Annotated[str, Cookie()]


async def who(channel: Here, session: Session = "") -> Answer | None:
    """Who is logged in, if somebody is."""
    return channel.books.account(session)


Who = Annotated[Answer | None, Depends(who)]


def create_app(
    setup: Setup, *, prefix: str, page: str, routes: APIRouter, has_shelves: bool = False
) -> FastAPI:
    """The program. prefix: of its order numbers; page: its file."""

    @contextlib.asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with Channel.running(setup, prefix, has_shelves) as channel:
            app.state.channel = channel
            yield

    app = FastAPI(title=setup.channel, lifespan=lifespan, openapi_url=None)
    app.add_api_route("/", lambda: FileResponse(PAGES / page), include_in_schema=False)
    app.mount("/pages", StaticFiles(directory=PAGES))
    app.include_router(router)
    app.include_router(routes)
    handlers: dict[type[Exception], Callable[[Request, Any], Response]] = {
        NotPossible: lambda _, error: _words(409, str(error)),
        HubError: lambda _, error: _words(503 if error.is_passing else 409, error.words),
        RequestValidationError: lambda _, error: _words(422, _first_fault(error)),
    }
    for fault, handler in handlers.items():
        app.add_exception_handler(fault, handler)
    return app


router = APIRouter()


@router.get("/api/goods")
async def goods(channel: Here) -> Answer:
    """What is sold where, and how many there are, as the hub told."""
    cakes = [{"sku": c.sku, "name": c.name, "price_fen": c.price_fen} for c in bakery.CAKES]
    stores = [{"place": store.place, "name": store.name} for store in bakery.STORES]
    return {"cakes": cakes, "stores": stores, "stock": channel.books.stock()}


@router.get("/api/live")
async def live(channel: Here) -> Response:
    """Server-sent events: `stock` when it changes, `told` when the hub told something else."""
    return StreamingResponse(channel.following.page(), media_type="text/event-stream")


@router.get("/api/orders/{number}")
async def order(number: str, channel: Here, buyer: Who) -> Order:
    """An order of this channel, for who made it."""
    return shown(_of(channel, number, buyer))


@router.post("/api/orders/{number}/pay")
async def pay(number: str, channel: Here, buyer: Who) -> Order:
    """The customer has paid."""
    _of(channel, number, buyer)
    return shown(await channel.shop.pay(number))


@router.post("/api/orders/{number}/cancel")
async def cancel(number: str, channel: Here, buyer: Who) -> Order:
    """The customer will not have it."""
    _of(channel, number, buyer)
    return shown(await channel.shop.cancel(number))


class Shelf(BaseModel):
    """How many lie there."""

    sku: Text
    place: Text
    quantity: Annotated[int, Field(ge=0, le=1_000)]


@router.get("/api/desk")
async def desk(channel: Here) -> Answer:
    """For the shop's own people: its orders, what the hub told, and what the hub refused."""
    books = channel.books
    orders = [shown(one) for one in books.orders()]
    return {"orders": orders, "told": books.heard(), "refused": books.refusals()}


@router.get("/api/desk/list")
async def listed(channel: Here, after: str = "") -> Answer:
    """What was sold here, a page at a time, by this shop's own books: for who compares."""
    orders = channel.books.sold(after, LIST_ROWS)
    rows = [
        {
            "shop": SHOP,
            "number": order["number"],
            "amount": bakery.yuan(total_fen(order)),
            "state": order["state"],
        }
        for order in orders
    ]
    is_full = len(rows) == LIST_ROWS
    following_page = f"?{urlencode({'after': rows[-1]['number']})}" if is_full else None
    return {"orders": rows, "next": following_page}


@router.post("/api/desk/shelf", status_code=204)
async def shelf(counted: Shelf, channel: Here) -> None:
    """Somebody counted a shelf."""
    channel.shop.count(cake_of(counted.sku), place_of(counted.place), counted.quantity)


@router.post("/api/desk/orders/{number}/hand-over")
async def hand_over(number: str, channel: Here) -> Order:
    """The cake went over the counter."""
    return shown(channel.shop.hand_over(number))


@router.post(following.PATH, status_code=204)
async def told(request: Request, channel: Here) -> Response:
    """Where the hub tells."""
    try:
        channel.following.hear(await request.body(), dict(request.headers))
    except Forged:
        return Response(status_code=401)
    except TooSoon:
        return Response(status_code=503, headers={"Retry-After": "1"})
    return Response(status_code=204)


def shown(order: Order) -> Order:
    """An order without whom it is for."""
    return {name: value for name, value in order.items() if name != "recipient"}


def cake_of(sku: str) -> Cake:
    """A cake that is sold. Raises `NotPossible`."""
    if sku not in bakery.BY_SKU:
        raise NotPossible("没有这种蛋糕")
    return bakery.BY_SKU[sku]


def place_of(name: str) -> str:
    """A store where cakes are picked up. Raises `NotPossible`."""
    if name not in bakery.BY_PLACE:
        raise NotPossible("没有这家门店")
    return name


def _of(channel: Channel, number: str, buyer: Answer | None) -> Order:
    order = channel.shop.own_order(number)
    if order["account"] not in (None, buyer and buyer["account"]):
        raise NotPossible(f"没有订单 {number}")
    return order


def _words(status: int, words: str) -> Response:
    return JSONResponse({"words": words}, status)


def _first_fault(error: RequestValidationError) -> str:
    fault = error.errors()[0]
    return f"{'.'.join(str(part) for part in fault['loc'][1:])}: {fault['msg']}"
