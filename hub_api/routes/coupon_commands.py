"""What is decided about a coupon at once, from its issue to its end.

The bodies of requests are in `hub_api.coupon_requests`, the way of a command in
`hub_api.coupon_calls`; what is possible is decided in `hub.store.coupon_commands`.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

from fastapi import APIRouter

from hub.domain import coupon_tokens
from hub.domain.coupon_codes import normalise_code
from hub.domain.coupon_tokens import TokenRefused
from hub.domain.ids import Key
from hub.store import coupon_commands
from hub.store.coupon_commands import Counter
from hub_api import requests
from hub_api.coupon_calls import Calling, Code, CouponCall, named
from hub_api.coupon_requests import (
    Claim,
    Gift,
    NewCoupon,
    Redemption,
    Release,
    Reservation,
    Reversal,
    Step,
)
from hub_api.problems import Fault, Problem
from hub_api.resources import Resources
from hub_api.routes.coupons import CouponHead

router = APIRouter(prefix="/v1/coupons", tags=["coupons"])


@router.post("", status_code=201, openapi_extra=requests.schema_of(NewCoupon))
async def issue(call: Calling) -> CouponHead:
    """Issue a coupon with a code of the hub's own."""
    new = await call.read(NewCoupon)
    data = new.model_dump(exclude={"channel", "shop", "valid_through"}, exclude_none=True)
    if new.valid_through is not None:
        data["valid_until"] = _end_of_day(call.held, new.valid_through)

    async def work(connection: Any, counter: Counter) -> Key:
        return await coupon_commands.issue(connection, call.held.vault, counter, data)

    return await call.run(new, work)


@router.post("/{code:path}/claim", openapi_extra=requests.schema_of(Claim))
async def claim(code: Code, call: Calling) -> CouponHead:
    """Take it into an account's wallet. A coupon for a recipient needs that phone or e-mail to be
    verified by the account's member."""
    wanted = await call.read(Claim)

    async def work(connection: Any, counter: Counter) -> Key:
        vault = call.held.vault
        return await coupon_commands.claim(connection, vault, counter, normalise_code(code))

    return await call.run(wanted, work)


@router.post("/{code:path}/reserve", openapi_extra=requests.schema_of(Reservation))
async def reserve(code: Code, call: Calling) -> CouponHead:
    """Hold a use for a checkout, for a while."""
    wanted = await call.read(Reservation)
    expires_at = datetime.now(UTC) + timedelta(seconds=wanted.ttl_s)
    data = named(code, wanted, "ttl_s") | {"expires_at": expires_at}
    return await call.decide("coupon.reserved", wanted, data)


@router.post("/{code:path}/redeem", openapi_extra=requests.schema_of(Redemption))
async def redeem(code: Code, call: Calling) -> CouponHead:
    """Use it once. The same redemption again changes nothing; whoever comes second gets a 409.

    What a platform sold is verified at the platform first, where its channel's pack says how.
    """
    return await redeem_by(call, code, await call.read(Redemption))


@router.post("/{code:path}/reverse", openapi_extra=requests.schema_of(Reversal))
async def reverse(code: Code, call: Calling) -> CouponHead:
    """Undo a redemption, within the time its terms allow: it can be used again."""
    return await reverse_by(call, code, await call.read(Reversal))


@router.post("/{code:path}/release", openapi_extra=requests.schema_of(Release))
async def release(code: Code, call: Calling) -> CouponHead:
    """Let go of what a checkout held, or of a coupon that was frozen."""
    wanted = await call.read(Release)
    return await call.decide("coupon.released", wanted, named(code, wanted))


@router.post("/{code:path}/freeze", openapi_extra=requests.schema_of(Step))
async def freeze(code: Code, call: Calling) -> CouponHead:
    """A refund was applied for: nobody can use it until it is refunded or let go. By its issuer."""
    wanted = await call.read(Step)
    return await call.decide("coupon.frozen", wanted, named(code, wanted))


@router.post("/{code:path}/refund", openapi_extra=requests.schema_of(Step))
async def refund(code: Code, call: Calling) -> CouponHead:
    """The buyer gets the money back, the coupon ends; refused once it was used. By its issuer."""
    wanted = await call.read(Step)
    return await call.decide("coupon.refunded", wanted, named(code, wanted))


@router.post("/{code:path}/void", openapi_extra=requests.schema_of(Step))
async def void(code: Code, call: Calling) -> CouponHead:
    """It ends and can be used no more; the reason is kept. By its issuer."""
    wanted = await call.read(Step)
    return await call.decide("coupon.voided", wanted, named(code, wanted))


@router.post("/{code:path}/transfer", openapi_extra=requests.schema_of(Gift))
async def transfer(code: Code, call: Calling) -> CouponHead:
    """Its holder gives it away: to an account of the channel, or to whoever verifies the
    recipient's phone or e-mail."""
    wanted = await call.read(Gift)
    data = named(code, wanted, "to_account")
    if wanted.to_account is not None:
        data["account"] = wanted.to_account
    return await call.decide("coupon.transferred", wanted, data)


async def redeem_by(call: CouponCall, code: str, wanted: Redemption) -> CouponHead:
    """Make this use, or have the platform that sold the coupon verify it."""
    if (coupon := await call.lead(code, wanted, "verified")) is not None:
        return coupon
    data = named(code, wanted)
    if wanted.token is not None:
        data["token"] = _token_id(call.held, normalise_code(code), wanted)
    return await call.decide("coupon.redeemed", wanted, data)


async def reverse_by(call: CouponCall, code: str, wanted: Reversal) -> CouponHead:
    """Undo this use, or have the platform that sold the coupon cancel it."""
    if (coupon := await call.lead(code, wanted, "cancelled")) is not None:
        return coupon
    return await call.decide("coupon.redemption_reversed", wanted, named(code, wanted))


def token_key(held: Resources) -> bytes:
    """The secret key that signs one-time tokens."""
    return held.settings.derived_key("coupon tokens")


def _end_of_day(held: Resources, day: str) -> datetime:
    """The moment after the day's last in the business's zone."""
    try:
        start = datetime.fromisoformat(day).replace(tzinfo=held.settings.zone)
        return (start + timedelta(days=1)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise Problem("invalid", [Fault("valid_through", f"'{day}' is no day")]) from None


def _token_id(held: Resources, code: str, wanted: Redemption) -> str:
    assert wanted.token is not None
    public = coupon_tokens.public_key(token_key(held))
    try:
        token = coupon_tokens.verify(wanted.token, public, wanted.place, datetime.now(UTC))
    except TokenRefused as refused:
        raise Problem("refused", cause="token_refused", reason=str(refused)) from None
    if token.code != code:
        raise Problem("refused", cause="token_refused", reason="the token is of another coupon")
    return token.token_id
