"""What is decided about a coupon at once, from its issue to its end. The bodies of requests are in
`hub_api.coupon_requests`; what is possible is decided in `hub.store.coupon_commands`."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Request

from hub.domain import coupon_tokens
from hub.domain.coupon_codes import normalise_code
from hub.domain.coupon_tokens import TokenRefused
from hub.domain.ids import Key
from hub.store import coupon_commands
from hub.store.commands import Answer
from hub.store.coupon_commands import Counter, CouponUnknown
from hub.store.keys import ApiKey
from hub_api import commands, requests
from hub_api.commands import IdempotencyKey
from hub_api.coupon_requests import (
    Asking,
    Claim,
    Gift,
    NewCoupon,
    Redemption,
    Release,
    Reservation,
    Reversal,
    Step,
)
from hub_api.keyring import Needs, channel_of
from hub_api.problems import Fault, Problem
from hub_api.resources import Held, Resources
from hub_api.routes.coupons import CouponHead, head_fields

router = APIRouter(prefix="/v1/coupons", tags=["coupons"])
Writer = Annotated[ApiKey, Depends(Needs("coupons:write"))]
Code = Annotated[str, Path(min_length=1, max_length=128)]


@router.post("", status_code=201, openapi_extra=requests.schema_of(NewCoupon))
async def issue(
    request: Request, key: Writer, held: Held, idempotency_key: IdempotencyKey
) -> CouponHead:
    """Issue a coupon with a code of the hub's own."""
    new = await requests.read(request, held, NewCoupon)
    data = new.model_dump(exclude={"channel", "shop", "valid_through"}, exclude_none=True)
    if new.valid_through is not None:
        data["valid_until"] = _end_of_day(held, new.valid_through)

    async def work(connection: Any, counter: Counter) -> Key:
        return await coupon_commands.issue(connection, held.vault, counter, data)

    return await _run(request, held, key, (idempotency_key, new), work)


@router.post("/{code:path}/claim", openapi_extra=requests.schema_of(Claim))
async def claim(
    request: Request, code: Code, key: Writer, held: Held, idempotency_key: IdempotencyKey
) -> CouponHead:
    """Take it into an account's wallet. A coupon for a recipient needs that phone or e-mail to be
    verified by the account's member."""
    wanted = await requests.read(request, held, Claim)

    async def work(connection: Any, counter: Counter) -> Key:
        return await coupon_commands.claim(connection, held.vault, counter, normalise_code(code))

    return await _run(request, held, key, (idempotency_key, wanted), work)


@router.post("/{code:path}/reserve", openapi_extra=requests.schema_of(Reservation))
async def reserve(
    request: Request, code: Code, key: Writer, held: Held, idempotency_key: IdempotencyKey
) -> CouponHead:
    """Hold a use for a checkout, for a while."""
    wanted = await requests.read(request, held, Reservation)
    expires_at = datetime.now(UTC) + timedelta(seconds=wanted.ttl_s)
    data = _named(code, wanted, "ttl_s") | {"expires_at": expires_at}
    work = _decision(held, "coupon.reserved", data)
    return await _run(request, held, key, (idempotency_key, wanted), work)


@router.post("/{code:path}/redeem", openapi_extra=requests.schema_of(Redemption))
async def redeem(
    request: Request, code: Code, key: Writer, held: Held, idempotency_key: IdempotencyKey
) -> CouponHead:
    """Use it once. The same redemption again changes nothing; whoever comes second gets a 409."""
    wanted = await requests.read(request, held, Redemption)
    data = _named(code, wanted)
    if wanted.token is not None:
        data["token"] = _token_id(held, normalise_code(code), wanted)
    work = _decision(held, "coupon.redeemed", data)
    return await _run(request, held, key, (idempotency_key, wanted), work)


@router.post("/{code:path}/reverse", openapi_extra=requests.schema_of(Reversal))
async def reverse(
    request: Request, code: Code, key: Writer, held: Held, idempotency_key: IdempotencyKey
) -> CouponHead:
    """Undo a redemption, within the time its terms allow: it can be used again."""
    wanted = await requests.read(request, held, Reversal)
    work = _decision(held, "coupon.redemption_reversed", _named(code, wanted))
    return await _run(request, held, key, (idempotency_key, wanted), work)


@router.post("/{code:path}/release", openapi_extra=requests.schema_of(Release))
async def release(
    request: Request, code: Code, key: Writer, held: Held, idempotency_key: IdempotencyKey
) -> CouponHead:
    """Let go of what a checkout held, or of a coupon that was frozen."""
    wanted = await requests.read(request, held, Release)
    work = _decision(held, "coupon.released", _named(code, wanted))
    return await _run(request, held, key, (idempotency_key, wanted), work)


@router.post("/{code:path}/freeze", openapi_extra=requests.schema_of(Step))
async def freeze(
    request: Request, code: Code, key: Writer, held: Held, idempotency_key: IdempotencyKey
) -> CouponHead:
    """A refund was applied for: nobody can use it until it is refunded or let go. By its issuer."""
    wanted = await requests.read(request, held, Step)
    work = _decision(held, "coupon.frozen", _named(code, wanted))
    return await _run(request, held, key, (idempotency_key, wanted), work)


@router.post("/{code:path}/refund", openapi_extra=requests.schema_of(Step))
async def refund(
    request: Request, code: Code, key: Writer, held: Held, idempotency_key: IdempotencyKey
) -> CouponHead:
    """The buyer gets the money back, the coupon ends; refused once it was used. By its issuer."""
    wanted = await requests.read(request, held, Step)
    work = _decision(held, "coupon.refunded", _named(code, wanted))
    return await _run(request, held, key, (idempotency_key, wanted), work)


@router.post("/{code:path}/void", openapi_extra=requests.schema_of(Step))
async def void(
    request: Request, code: Code, key: Writer, held: Held, idempotency_key: IdempotencyKey
) -> CouponHead:
    """It ends and can be used no more; the reason is kept. By its issuer."""
    wanted = await requests.read(request, held, Step)
    work = _decision(held, "coupon.voided", _named(code, wanted))
    return await _run(request, held, key, (idempotency_key, wanted), work)


@router.post("/{code:path}/transfer", openapi_extra=requests.schema_of(Gift))
async def transfer(
    request: Request, code: Code, key: Writer, held: Held, idempotency_key: IdempotencyKey
) -> CouponHead:
    """Its holder gives it away: to an account of the channel, or to whoever verifies the
    recipient's phone or e-mail."""
    wanted = await requests.read(request, held, Gift)
    data = _named(code, wanted, "to_account")
    if wanted.to_account is not None:
        data["account"] = wanted.to_account
    work = _decision(held, "coupon.transferred", data)
    return await _run(request, held, key, (idempotency_key, wanted), work)


def counter_of(key: ApiKey, asking: Asking) -> Counter:
    """Where the request is made, if the key may act for that channel."""
    channel = asking.channel or key.channel
    if channel is None:
        raise Problem("invalid", [Fault("channel", "the key is of no channel: name one")])
    return Counter(channel_of(key, channel), asking.shop, getattr(asking, "account", None))


def token_key(held: Resources) -> bytes:
    """The secret key that signs one-time tokens."""
    return held.settings.derived_key("coupon tokens")


_Work = Callable[[Any, Counter], Awaitable[Key]]


def _decision(held: Resources, event_type: str, data: dict[str, Any]) -> _Work:
    async def work(connection: Any, counter: Counter) -> Key:
        return await coupon_commands.decide(connection, held.vault, counter, event_type, data)

    return work


async def _run(
    request: Request,
    held: Resources,
    key: ApiKey,
    sent: tuple[str, Asking],
    work: _Work,
) -> CouponHead:
    """Do the work once for what was sent (idempotency key, body); the coupon after it."""
    held.keyring.refuse_guessing(key, "coupon")
    idempotency_key, asking = sent
    counter = counter_of(key, asking)

    async def decide(connection: Any) -> Answer:
        coupon_id = await work(connection, counter)
        return head_fields(await coupon_commands.head(connection, coupon_id))

    asked = commands.asked(request, key, idempotency_key, asking)
    try:
        return CouponHead.model_validate(await commands.run(held, asked, decide))
    except CouponUnknown:
        held.keyring.miss(key, "coupon")
        raise Problem("not-found") from None


def _named(code: str, asking: Asking, *left_out: str) -> dict[str, Any]:
    without = {"channel", "shop", "account", *left_out}
    return {"code": normalise_code(code)} | asking.model_dump(exclude=without, exclude_none=True)


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
