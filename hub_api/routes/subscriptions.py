"""Subscriptions: who is told of what happens. What was told: `hub_api.routes.deliveries`."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Request
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from starlette.responses import Response

from hub.domain import ids
from hub.domain.delivering import STOCK_CHANGED
from hub.domain.targets import ForbiddenAddress, check_url
from hub.store import deliveries, subscriptions
from hub.store.keys import ApiKey
from hub.store.subscriptions import Active, NewSubscription, TooManySubscriptions
from hub_api import requests
from hub_api.keyring import Needs
from hub_api.problems import Fault, Problem
from hub_api.resources import Held, Resources

router = APIRouter(prefix="/v1/subscriptions", tags=["deliveries"])
Reader = Annotated[ApiKey, Depends(Needs("subscriptions:read"))]
Writer = Annotated[ApiKey, Depends(Needs("subscriptions:write"))]
TYPES_MAX = 100
TYPE_PATTERN = r"^(\*|[a-z_]+\.(\*|[a-z_]+)|rule\.[a-z0-9][a-z0-9-]{0,63})$"
LABEL_LENGTH_MAX = 100
Type = Annotated[str, Field(pattern=TYPE_PATTERN, max_length=72)]
Label = Annotated[str, Field(min_length=1, max_length=LABEL_LENGTH_MAX, pattern=r"^[^\x00-\x1f]+$")]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)


class Wanted(_Body):
    """What to tell, and where. `types`: `order.paid`, `order.*`, `*`; `stock.changed` for the
    newest stock of each item and place; `rule.NAME` or `rule.*` for what sync rules deliver.
    `own_events`: also what the channel told the hub itself."""

    label: Label
    types: Annotated[list[Type], Field(min_length=1, max_length=TYPES_MAX)]
    target_url: Annotated[str, Field(min_length=1, max_length=2_000)]
    own_events: bool = False


class Change(_Body):
    """`paused` keeps what comes meanwhile for later."""

    state: Annotated[str, Field(pattern="^(active|paused)$")]


class Span(_Body):
    """From when to when what was received is told again, marked `replayed`."""

    since: AwareDatetime
    until: AwareDatetime


class Subscription(BaseModel):
    """A subscription as it is."""

    subscription_id: str
    channel: str | None
    label: str
    types: list[str]
    target_url: str
    own_events: bool
    state: str = Field(description="active, failing, paused, or disabled with the `reason`")
    reason: str | None
    resumes_at: datetime | None = Field(description="When a receiver that is away is tried again")
    created_at: datetime


class WithSecret(BaseModel):
    """The secret by which deliveries are signed, after Standard Webhooks. Shown this once."""

    subscription_id: str
    secret: str


class Listed(BaseModel):
    """All of the key's channel: at most 100 of each, so there are no pages."""

    items: list[Subscription]


class Replayed(BaseModel):
    """How many deliveries were made of it."""

    deliveries: int


@router.post("", status_code=201, openapi_extra=requests.schema_of(Wanted))
async def subscribe(request: Request, key: Writer, held: Held) -> WithSecret:
    """Have what happens told to an address, signed and in order for each object.

    The address has to be of the internet and `https`.
    """
    wanted = await requests.read(request, held, Wanted)
    try:
        check_url(wanted.target_url, is_local_allowed=held.settings.local_receivers)
    except ForbiddenAddress as error:
        raise Problem("invalid", [Fault("target_url", error.what)]) from None
    new = NewSubscription(
        key.channel, wanted.label, wanted.types, wanted.target_url, wanted.own_events
    )
    try:
        made = await held.database.write(lambda c: subscriptions.add(c, held.vault, new))
    except TooManySubscriptions:
        reason = f"a channel has at most {subscriptions.SUBSCRIPTIONS_MAX} subscriptions"
        raise Problem("refused", reason=reason, cause="too_many_subscriptions") from None
    return WithSecret(subscription_id=ids.text(made[0]), secret=made[1])


@router.get("")
async def list_subscriptions(key: Reader, held: Held) -> Listed:
    """The subscriptions of the key's channel; of all channels for a key of none."""
    rows = await held.database.write(lambda c: subscriptions.listed(c, key.channel))
    return Listed(items=[_shown(row) for row in rows])


@router.get("/{subscription_id}")
async def get_subscription(subscription_id: UUID, key: Reader, held: Held) -> Subscription:
    """One subscription."""
    return _shown(await found(held, key, subscription_id))


@router.patch("/{subscription_id}", openapi_extra=requests.schema_of(Change))
async def change_subscription(
    request: Request, subscription_id: UUID, key: Writer, held: Held
) -> Subscription:
    """Pause it, or let it go on: also one that was disabled, or whose receiver was away."""
    wanted = await requests.read(request, held, Change)
    await found(held, key, subscription_id)
    await held.database.write(
        lambda c: subscriptions.set_state(c, subscription_id.bytes, wanted.state, "")
    )
    return _shown(await found(held, key, subscription_id))


@router.delete("/{subscription_id}", status_code=204)
async def end_subscription(subscription_id: UUID, key: Writer, held: Held) -> Response:
    """Nothing more is told; what waits is not sent."""
    await found(held, key, subscription_id)
    await held.database.write(
        lambda c: subscriptions.set_state(c, subscription_id.bytes, "ended", "")
    )
    return Response(None, 204)


@router.post("/{subscription_id}/rotate")
async def rotate_secret(subscription_id: UUID, key: Writer, held: Held) -> WithSecret:
    """A new secret; for a day the one before signs beside it."""
    await found(held, key, subscription_id)
    secret = await held.database.write(
        lambda c: subscriptions.rotate(c, held.vault, subscription_id.bytes)
    )
    return WithSecret(subscription_id=str(subscription_id), secret=secret)


@router.post("/{subscription_id}/replay", openapi_extra=requests.schema_of(Span))
async def replay(request: Request, subscription_id: UUID, key: Writer, held: Held) -> Replayed:
    """Tell again what was received in a time, each delivery marked `replayed`."""
    wanted = await requests.read(request, held, Span)
    if wanted.until <= wanted.since:
        raise Problem("invalid", [Fault("until", "it is not after `since`")])
    await found(held, key, subscription_id)
    span = (wanted.since, wanted.until)

    async def work(connection: Any, one: Active) -> int:
        return await deliveries.replay(connection, held.vault, one, span)

    return Replayed(deliveries=await _with_active(held, subscription_id, work))


@router.post("/{subscription_id}/resync")
async def resync(subscription_id: UUID, key: Writer, held: Held) -> Replayed:
    """Tell the stock of every item and place once, as it is when it is sent: for a receiver that
    begins, or that lost what it had."""
    await found(held, key, subscription_id)

    async def work(connection: Any, one: Active) -> int:
        if not one.wanted.names(STOCK_CHANGED):
            reason = f"the subscription is not told of {STOCK_CHANGED}"
            raise Problem("refused", reason=reason, cause="not_subscribed")
        return await deliveries.resync(connection, one)

    return Replayed(deliveries=await _with_active(held, subscription_id, work))


async def _with_active(
    held: Resources, subscription_id: UUID, work: Callable[[Any, Active], Awaitable[int]]
) -> int:
    async def working(connection: Any) -> int:
        for one in await subscriptions.active(connection, held.vault):
            if one.subscription_id == subscription_id.bytes:
                if one.is_shadow:
                    reason = "its channel is in shadow, and is told nothing"
                    raise Problem("refused", reason=reason, cause="in_shadow")
                return await work(connection, one)
        raise Problem("refused", reason="the subscription is not active", cause="not_active")

    return await held.database.write(working)


async def found(held: Resources, key: ApiKey, subscription_id: UUID) -> dict[str, Any]:
    """A subscription of the key's channel, or 404."""
    rows = await held.database.write(
        lambda c: subscriptions.listed(c, key.channel, subscription_id.bytes)
    )
    if not rows:
        raise Problem("not-found")
    return rows[0]


def _shown(row: dict[str, Any]) -> Subscription:
    named = {
        "subscription_id": ids.text(row["subscription_id"]),
        "own_events": row["has_own_events"],
    }
    return Subscription.model_validate(row | named)
