"""Before a coupon is used: what it is worth to a basket, and one-time tokens that a store can check
without a network. Nothing is decided here."""

import base64
import secrets
from datetime import UTC, datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field

from hub.domain import coupon_quotes, coupon_tokens, money
from hub.domain.coupon_quotes import Quote
from hub.domain.coupon_tokens import Token
from hub.store import coupon_commands
from hub.store.coupon_commands import Counter, CouponUnknown, Standing
from hub.store.keys import ApiKey
from hub_api import requests
from hub_api.amounts import amount
from hub_api.coupon_calls import Code, Writer, counter_of
from hub_api.coupon_requests import Amount, Currency, Name, Using
from hub_api.problems import Fault, Problem
from hub_api.resources import Held, Resources
from hub_api.routes.coupon_commands import token_key

router = APIRouter(prefix="/v1", tags=["coupons"])
OTHERS_MAX = 20
TOKEN_TTL_S_DEFAULT = 5 * 60
TOKEN_TTL_S_MAX = 24 * 60 * 60
TOKEN_ID_BYTES = 12


class Basket(Using):
    """An order's amount before the coupon, and the other coupons it is to stand beside."""

    amount: Amount
    currency: Currency
    others: Annotated[list[Name], Field(max_length=OTHERS_MAX, default_factory=list)]


class Worth(BaseModel):
    """What the coupon takes off the price, or pays (`is_tender`); or what stands in the way."""

    code: str
    is_usable: bool
    amount: str
    currency: str
    is_tender: bool
    obstacles: list[str]


class TokenAsked(Using):
    """For which store a token is, if for one only, and how long it holds."""

    place: Name | None = None
    ttl_s: Annotated[int, Field(ge=1, le=TOKEN_TTL_S_MAX)] = TOKEN_TTL_S_DEFAULT


class ShownToken(BaseModel):
    """A token to be scanned; a store that was offline tells `token_id` with its redemption."""

    token: str
    token_id: str
    expires_at: datetime


class TokenKey(BaseModel):
    """The public key, base64url: stores keep it to check tokens without a network."""

    algorithm: str = "Ed25519"
    public_key: str


@router.post("/coupons/{code:path}/quote", openapi_extra=requests.schema_of(Basket))
async def quote(request: Request, code: Code, key: Writer, held: Held) -> Worth:
    """What it is worth to a basket: threshold, discount, and whether it may stand beside others."""
    basket = await requests.read(request, held, Basket)
    try:
        amount_minor = money.minor(basket.amount, basket.currency)
    except money.BadNumber as bad:
        raise Problem("invalid", [Fault("amount", str(bad))]) from None
    if amount_minor < 0:
        raise Problem("invalid", [Fault("amount", "it is below 0")])
    asked, *others = await _standings(held, key, basket, [code, *basket.others])
    worth = coupon_quotes.quote(
        asked.offer, amount_minor, basket.currency, [other.offer for other in others]
    )
    named = basket.account is not None
    obstacles = [*asked.obstacles(names_account=named), *worth.obstacles]
    return _worth(asked, basket, worth, obstacles)


@router.post(
    "/coupons/{code:path}/token", status_code=201, openapi_extra=requests.schema_of(TokenAsked)
)
async def token(request: Request, code: Code, key: Writer, held: Held) -> ShownToken:
    """A one-time token of a coupon that can be used now. It holds nothing back: whoever redeems
    first has the use."""
    wanted = await requests.read(request, held, TokenAsked)
    (standing,) = await _standings(held, key, wanted, [code])
    if obstacles := standing.obstacles(names_account=wanted.account is not None):
        raise Problem("refused", cause=obstacles[0], reason="the coupon can't be used now")
    expires_at = datetime.now(UTC) + timedelta(seconds=wanted.ttl_s)
    made = Token(
        standing.offer.code,
        secrets.token_hex(TOKEN_ID_BYTES),
        int(expires_at.timestamp()),
        wanted.place,
    )
    shown = coupon_tokens.sign(made, token_key(held))
    return ShownToken(token=shown, token_id=made.token_id, expires_at=expires_at)


@router.get("/coupon-tokens/key")
async def get_token_key(key: Writer, held: Held) -> TokenKey:
    """The key by which stores check one-time tokens."""
    public = coupon_tokens.public_key(token_key(held))
    return TokenKey(public_key=base64.urlsafe_b64encode(public).decode())


async def _standings(
    held: Resources, key: ApiKey, asking: Using, codes: list[str]
) -> list[Standing]:
    """How these coupons stand, in the order asked; a problem if one does not exist."""
    held.keyring.refuse_guessing(key, "coupon")
    counter: Counter = counter_of(key, asking)
    try:
        return await held.database.write(
            lambda connection: coupon_commands.known(connection, counter, codes)
        )
    except CouponUnknown:
        held.keyring.miss(key, "coupon")
        raise Problem("not-found") from None


def _worth(standing: Standing, basket: Basket, worth: Quote, obstacles: list[str]) -> Worth:
    return Worth(
        code=standing.offer.code,
        is_usable=not obstacles,
        amount=amount(0 if obstacles else worth.amount_minor, basket.currency) or "0",
        currency=basket.currency,
        is_tender=worth.is_tender,
        obstacles=obstacles,
    )
