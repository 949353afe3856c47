"""The website: whoever comes by buys a cake or a voucher, with a phone and no account."""

from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, FastAPI
from pydantic import BaseModel, Field

from samples import serving
from samples.channel import Setup
from samples.serving import Here, Phone, Text
from samples.shop import Order, Wish

router = APIRouter()


def create_app(setup: Setup) -> FastAPI:
    """The website's program. It counts the bakery's shelves."""
    return serving.create_app(
        setup, prefix="W", page="website.html", routes=router, has_shelves=True
    )


class NewOrder(BaseModel):
    """A guest's order."""

    sku: Text
    place: Text
    quantity: Annotated[int, Field(ge=1, le=serving.QUANTITY_MAX)] = 1
    name: Text
    phone: Phone


class NewVoucher(BaseModel):
    """For whom a voucher is."""

    phone: Phone


@router.post("/api/orders", status_code=201)
async def place(wanted: NewOrder, channel: Here) -> Order:
    """Hold a cake for the guest, until it is paid or a quarter of an hour is over."""
    recipient = {"name": wanted.name, "phone": wanted.phone}
    wish = Wish(
        serving.cake_of(wanted.sku),
        serving.place_of(wanted.place),
        wanted.quantity,
        recipient=recipient,
    )
    return serving.shown(await channel.shop.order(wish))


@router.post("/api/vouchers", status_code=201)
async def buy_voucher(wanted: NewVoucher, channel: Here) -> dict[str, Any]:
    """A voucher for a cake, paid for: whoever proves this phone may use it, on any channel."""
    return await channel.shop.sell_voucher(wanted.phone)


@router.get("/api/vouchers/{code}")
async def voucher(code: str, channel: Here) -> dict[str, Any]:
    """What became of a voucher that was sold here, wherever it was used."""
    return await channel.hub.ask(f"/v1/coupons/{quote(code, safe='')}")
