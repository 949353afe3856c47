"""The server of the mini-program: who comes is logged in by WeChat, buys with coupons and points,
and has a member center: one wallet and the orders of all channels.

WeChat itself is not here: a nickname stands for its login, and a button for its word that a phone
is the person's own.
"""

import asyncio
import hashlib
import secrets
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Depends, FastAPI
from pydantic import BaseModel, Field
from starlette.responses import JSONResponse, Response

from samples import serving
from samples.channel import Channel, Setup
from samples.hub_client import SHOP
from samples.serving import Here, Phone, Session, Text, Who
from samples.shop import NotPossible, Order, Wish

APP = "wx-sample-bakery"
COOKIE = "session"
OFFERS = ("marketing", "wechat")
"""The purpose and the medium that the switch of the page is about."""
Answer = dict[str, Any]
router = APIRouter()


def create_app(setup: Setup) -> FastAPI:
    """The mini-program's server."""
    return serving.create_app(setup, prefix="M", page="miniprogram.html", routes=router)


async def member(who: Who) -> Answer:
    """Who is logged in. Raises `NotPossible`."""
    if who is None:
        raise NotPossible("请先登录")
    return who


Me = Annotated[Answer, Depends(member)]


class Login(BaseModel):
    """Stands for WeChat's login."""

    nickname: Text


class NewPhone(BaseModel):
    """A phone of which WeChat says that it is the person's."""

    phone: Phone


class Basket(BaseModel):
    """What the member wants, and with what to pay for it."""

    sku: Text
    place: Text
    quantity: Annotated[int, Field(ge=1, le=serving.QUANTITY_MAX)] = 1
    coupons: Annotated[list[Text], Field(max_length=20)] = []
    points: Annotated[int, Field(ge=0)] = 0


class Consent(BaseModel):
    """Whether the person may be sent offers."""

    is_granted: bool


@router.post("/api/login")
async def log_in(wanted: Login, channel: Here) -> Response:
    """Who comes for the first time is registered in the hub."""
    openid = "o" + hashlib.sha256(wanted.nickname.encode()).hexdigest()[:27]
    known = {"type": "openid", "value": openid, "proof": "verified", "app": APP}
    account = {"account": openid, "nickname": wanted.nickname, "phone": None}
    account |= await _register(channel, account, [known])
    token = secrets.token_urlsafe(32)
    channel.books.keep_account(token, account)
    answer = JSONResponse({"nickname": wanted.nickname})
    answer.set_cookie(COOKIE, token, httponly=True, samesite="strict")
    return answer


@router.post("/api/phone", status_code=204)
async def bind_phone(wanted: NewPhone, me: Me, channel: Here, session: Session) -> None:
    """The phone makes one member of this account and those with the same proved phone."""
    phone = {"type": "phone", "value": wanted.phone, "proof": "verified"}
    bound = await _register(channel, me, [phone])
    masked = f"{wanted.phone[:3]}****{wanted.phone[-4:]}"
    channel.books.keep_account(session, me | bound | {"phone": masked})


@router.get("/api/me")
async def center(me: Me, channel: Here) -> Answer:
    """The member center: who I am, points, level, coupons and orders of all channels."""
    path = f"/v1/members/{me['member_id']}"
    asked = ("", "/points", "/tiers", "/coupons", "/orders")
    answers = await asyncio.gather(*(channel.hub.ask(path + part) for part in asked))
    who, points, tiers, coupons, orders = answers
    return {
        "nickname": me["nickname"],
        "phone": me["phone"],
        "points": {name: points[name] for name in ("balance", "pending", "held", "debt")},
        "ledger": points["items"][:20],
        "tiers": tiers["tiers"],
        "coupons": coupons["items"],
        "orders": orders["items"],
        "is_told_offers": _is_told_offers(who),
    }


@router.post("/api/coupons/{code}/claim")
async def claim(code: str, me: Me, channel: Here) -> Answer:
    """Into the wallet."""
    path = f"/v1/coupons/{quote(code, safe='')}/claim"
    return await channel.hub.command(path, {"shop": SHOP, "account": me["account"]})


@router.post("/api/coupons/{code}/token")
async def token(code: str, me: Me, channel: Here) -> Answer:
    """What a till scans: good once, and for a short time."""
    path = f"/v1/coupons/{quote(code, safe='')}/token"
    return await channel.hub.look_up(path, shop=SHOP, account=me["account"])


@router.post("/api/quote")
async def price(wanted: Basket, me: Me, channel: Here) -> Answer:
    """What it costs, which coupons fit, how many points may pay."""
    return await channel.shop.quote(_wish(wanted, me))


@router.post("/api/orders", status_code=201)
async def place(wanted: Basket, me: Me, channel: Here) -> Order:
    """Hold the cake, the coupons and the points, until paid or a quarter of an hour is over."""
    return serving.shown(await channel.shop.order(_wish(wanted, me)))


@router.post("/api/consent", status_code=204)
async def consent(wanted: Consent, me: Me, channel: Here) -> None:
    """The hub hears what the person allows, and with it all who might send something."""
    purpose, medium = OFFERS
    said = {"purpose": purpose, "medium": medium, "granted": wanted.is_granted}
    data = {"account": me["account"]} | said
    channel.shop.tell("member.consent_changed", me["account"], data)


@router.post("/api/leave")
async def leave(me: Me, channel: Here) -> Answer:
    """Forget me: the hub forgets the person of this account, and certifies it."""
    wanted = {"account": me["account"], "reason": "the member left"}
    answer = await channel.hub.command("/v1/members/erase", wanted)
    channel.books.forget(me["account"])
    return answer


async def _register(channel: Channel, account: Answer, identifiers: list[Answer]) -> Answer:
    """What the hub calls the account's member."""
    said = {"shop": SHOP, "account": account["account"], "name": account["nickname"]}
    wanted = said | {"identifiers": identifiers}
    answer = await channel.hub.command("/v1/members", wanted)
    return {"member_id": answer["member_id"]}


def _wish(wanted: Basket, me: Answer) -> Wish:
    cake, store = serving.cake_of(wanted.sku), serving.place_of(wanted.place)
    return Wish(
        cake,
        store,
        wanted.quantity,
        account=me["account"],
        coupons=wanted.coupons,
        points=wanted.points,
    )


def _is_told_offers(who: Answer) -> bool:
    said = [one for one in who["consents"] if (one["purpose"], one["medium"]) == OFFERS]
    return any(one["is_granted"] for one in said)
