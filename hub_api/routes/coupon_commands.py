"""What is decided about a coupon at once: issue, claim, reserve, redeem, reverse, release; and what
it is worth to a basket. What is possible is decided in `hub.store.coupon_commands`."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Path, Request
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

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
from hub_api.keyring import Needs, channel_of
from hub_api.problems import Fault, Problem
from hub_api.resources import Held, Resources
from hub_api.routes.coupons import CouponHead, head_fields

router = APIRouter(prefix="/v1/coupons", tags=["coupons"])
Writer = Annotated[ApiKey, Depends(Needs("coupons:write"))]
Code = Annotated[str, Path(min_length=1, max_length=128)]
Name = Annotated[str, Field(min_length=1, max_length=128, pattern=r"^[^\x00-\x1f\x7f]+$")]
Amount = Annotated[str, Field(min_length=1, max_length=24, examples=["168.00"])]
Currency = Annotated[str, Field(pattern=r"^[A-Z]{3}$")]
Personal = Annotated[str, Field(min_length=1, max_length=256)]
TTL_S_DEFAULT = 15 * 60
TTL_S_MAX = 24 * 60 * 60


class Asking(BaseModel):
    """Which shop asks, and of which channel: the key's, if it is of one."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    channel: Annotated[str | None, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,63}$")] = None
    shop: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]


class Using(Asking):
    """For an account of the channel, if one is named."""

    account: Name | None = None


class Terms(BaseModel):
    """What it grants and when: a discount is the face value, or a percentage up to a maximum."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    minimum: Amount | None = None
    percent_off: Annotated[int | None, Field(ge=1, le=100)] = None
    maximum: Amount | None = None
    stacking: Literal["alone", "other_templates", "any"] = "alone"
    on_expiry: Literal["lapse", "extend", "refund"] = "lapse"
    extension_days: Annotated[int | None, Field(ge=1, le=3_660)] = None
    undo_minutes: Annotated[int | None, Field(ge=0, le=527_040)] = None


class NewCoupon(Using):
    """A coupon to issue. `valid_through`: its last day, whole, in the business's zone."""

    kind: Literal["discount", "exchange", "times"]
    template: Name | None = None
    face_value: Amount | None = None
    paid_amount: Amount | None = None
    currency: Currency | None = None
    uses: Annotated[int, Field(ge=1, le=10_000)] = 1
    valid_from: AwareDatetime | None = None
    valid_through: Annotated[str | None, Field(pattern=r"^\d{4}-\d\d-\d\d$")] = None
    order_number: Name | None = None
    recipient_phone: Personal | None = None
    recipient_email: Personal | None = None
    terms: Terms | None = None


class Claim(Asking):
    """The account that takes the coupon into its wallet."""

    account: Name


class Reservation(Using):
    """A use to be held for one checkout."""

    reservation_id: Name
    order_number: Name | None = None
    place: Name | None = None
    ttl_s: Annotated[int, Field(ge=1, le=TTL_S_MAX)] = TTL_S_DEFAULT


class Redemption(Using):
    """A use. `redemption_id`: the shop's own name of it; `token`: what the till scanned."""

    redemption_id: Name
    reservation_id: Name | None = None
    order_number: Name | None = None
    place: Name | None = None
    amount: Amount | None = None
    currency: Currency | None = None
    token: Annotated[str | None, Field(max_length=coupon_tokens.TOKEN_LENGTH_MAX)] = None


class Reversal(Asking):
    """A redemption of this shop that is undone."""

    redemption_id: Name
    reason: Annotated[str | None, Field(max_length=256)] = None


class Release(Asking):
    """A reservation of this shop that is given up; without its id, a coupon that was frozen."""

    reservation_id: Name | None = None
    reason: Annotated[str | None, Field(max_length=256)] = None


class Step(Asking):
    """What the issuer does with the coupon, and why."""

    reason: Annotated[str | None, Field(max_length=256)] = None


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
