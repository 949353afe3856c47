"""A store's counter: what a clerk does for the customer who stands there, in the clerk's own store.

What was done while the line was down is told as facts, by the time it was done. Not here: what any
channel may do (`hub_api.routes.coupon_commands`, `order_commands`).
"""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any
from uuid import UUID

import orjson
from fastapi import APIRouter, Depends, Request
from fastapi.security import APIKeyCookie
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from starlette.responses import Response

from hub.domain import coupon_tokens, events, ids, topics
from hub.domain.coupon_tokens import TokenRefused
from hub.store import coupon_commands, order_commands
from hub.store.commands import Answer
from hub.store.coupon_commands import Counter
from hub.store.keys import ApiKey
from hub.store.reads import coupons as coupon_reads
from hub.store.reads import orders as order_reads
from hub.store.reads.search import Search
from hub.store.reads.viewer import Viewer
from hub_api import commands, intake, requests
from hub_api.amounts import quantity
from hub_api.commands import IdempotencyKey
from hub_api.coupon_calls import CouponCall
from hub_api.coupon_requests import Name, Redemption, Reversal
from hub_api.kafka import Record
from hub_api.paging import PageAsked, PageOf, Pager, respond
from hub_api.problems import Problem
from hub_api.resources import Held, Resources
from hub_api.routes.coupon_commands import redeem_by, reverse_by, token_key
from hub_api.routes.coupons import CouponHead, head_fields, redemptions_of
from hub_api.routes.coupons import Redemption as Use
from hub_api.sessions import SESSION_COOKIE, key_of

router = APIRouter(prefix="/v1/store", tags=["store"])
CHANNEL = "store"
"""What is done at a counter is told as this channel's, its shops being the stores."""
EVERYTHING = Viewer(None)
# Only for the OpenAPI page: the cookie is read by the sessions, which refuse in the one shape.
session_cookie = APIKeyCookie(name=SESSION_COOKIE, auto_error=False)
WAITING_DAYS = 60
"""What waits longer is a case, and no pick-up of today."""


@dataclass(frozen=True, slots=True)
class Clerk:
    """Who asks, and the store they work in; refused who has none."""

    key: ApiKey
    place: str


async def clerk(
    request: Request, held: Held, _cookie: Annotated[object, Depends(session_cookie)]
) -> Clerk:
    """A person whose session it is: a key has no store."""
    person = await held.sessions.person(request)
    if person.place is None:
        raise Problem("no-store")
    key = replace(key_of(person), channel=CHANNEL, scopes=frozenset())
    request.state.key_prefix = key.key_prefix
    return Clerk(key, person.place)


AClerk = Annotated[Clerk, Depends(clerk)]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)


class CounterText(_Body):
    """What was scanned or typed: a coupon's code or token, or an order's number."""

    text: Annotated[str, Field(min_length=1, max_length=coupon_tokens.TOKEN_LENGTH_MAX)]


class CounterCoupon(CouponHead):
    """A coupon at the counter. `obstacles`: codes of what stands in the way of using it here and
    now; none: it may be redeemed. `token`: what was scanned, to be sent along."""

    obstacles: list[str]
    token: str | None
    redemptions: list[Use]


class CounterLine(BaseModel):
    """What is still to be handed over of an order."""

    sku: str
    name: str | None
    quantity: str


class CounterOrder(BaseModel):
    """An order to be picked up. `obstacle`: why it is not handed over here, in a word."""

    order_id: str
    channel: str
    order_number: str
    place: str | None
    payment_status: str
    fulfilment_status: str
    slot_from: datetime | None = None
    slot_until: datetime | None = None
    is_no_show: bool = False
    lines: list[CounterLine]
    obstacle: str | None = None


class CounterFound(BaseModel):
    """What it is. Empty: nothing that the hub knows."""

    place: str
    coupon: CounterCoupon | None
    orders: list[CounterOrder]


class CounterUse(_Body):
    """A use of a coupon, named by the request's `Idempotency-Key`."""

    code: Name
    token: Annotated[str | None, Field(max_length=coupon_tokens.TOKEN_LENGTH_MAX)] = None


class LateUse(_Body):
    """A use made while the line was down. `redemption_id`: the counter's own name of it."""

    code: Name
    redemption_id: Name
    redeemed_at: AwareDatetime


class Undoing(_Body):
    """A use of this store that is undone, and why."""

    code: Name
    redemption_id: Name
    reason: Annotated[str | None, Field(max_length=256)] = None


class HandedOver(BaseModel):
    """The order went over the counter."""

    order_id: str


class ToldLate(BaseModel):
    """The hub has it and will judge it by its time: the coupon's uses show what became of it."""

    redemption_id: str


@router.post("/lookup", openapi_extra=requests.schema_of(CounterText))
async def lookup(request: Request, who: AClerk, held: Held) -> CounterFound:
    """What a code is, and whether it is good here and now."""
    held.keyring.refuse_guessing(who.key, "coupon")
    wanted = await requests.read(request, held, CounterText)
    text = wanted.text.strip()
    code = _code_of(held, text, who.place)

    async def read(connection: Any) -> CounterFound:
        coupon = await _coupon(connection, who.place, code or text)
        if coupon is not None and code is not None:
            coupon.token = text
        return CounterFound(
            place=who.place,
            coupon=coupon,
            orders=[] if code is not None else await _orders(connection, held, who.place, text),
        )

    found = await held.database.read(read)
    if found.coupon is None and not found.orders:
        held.keyring.miss(who.key, "coupon")
    return found


@router.get("/pickups", response_model=PageOf[CounterOrder])
async def pickups(request: Request, who: AClerk, held: Held, wanted: PageAsked) -> Response:
    """Paid orders that wait in the store for their buyers, the earliest wanted first."""
    pager = Pager(held.signer, f"pickups {who.place}", tuple[datetime, bytes])
    page = pager.page(wanted)
    since = datetime.now(UTC) - timedelta(days=WAITING_DAYS)
    found = await held.database.read(
        lambda connection: order_reads.waiting_at(connection, who.place, since, page)
    )
    rows, cursor = pager.cut(found, page, ["wanted_at", "order_id"])
    items = [_pickup(row, who.place) for row in rows]
    return respond(request, PageOf[CounterOrder](items=items, next_cursor=cursor))


@router.post("/redemptions", openapi_extra=requests.schema_of(CounterUse))
async def redeem(
    request: Request, who: AClerk, held: Held, idempotency_key: IdempotencyKey
) -> CouponHead:
    """Use a coupon once, here: of two at the same moment one gets a 409."""
    wanted = await requests.read(request, held, CounterUse)
    use = Redemption(
        shop=who.place, place=who.place, redemption_id=idempotency_key, token=wanted.token
    )
    return await redeem_by(CouponCall(request, who.key, held, idempotency_key), wanted.code, use)


@router.post("/late-redemptions", status_code=202, openapi_extra=requests.schema_of(LateUse))
async def redeem_late(request: Request, who: AClerk, held: Held) -> ToldLate:
    """Tell of a use that was made while the line was down. It counts by the time it was made, and
    is a case where the coupon was used up by then. Sent again it counts once."""
    wanted = await requests.read(request, held, LateUse)
    said = {"code": wanted.code, "redemption_id": wanted.redemption_id, "place": who.place}
    await _tell(held, who.place, wanted, said)
    return ToldLate(redemption_id=wanted.redemption_id)


@router.post("/reversals", openapi_extra=requests.schema_of(Undoing))
async def undo(
    request: Request, who: AClerk, held: Held, idempotency_key: IdempotencyKey
) -> CouponHead:
    """Undo a use of this store: the coupon can be used again."""
    wanted = await requests.read(request, held, Undoing)
    back = Reversal(shop=who.place, redemption_id=wanted.redemption_id, reason=wanted.reason)
    return await reverse_by(CouponCall(request, who.key, held, idempotency_key), wanted.code, back)


@router.post("/orders/{order_id}/hand-over")
async def hand_over(
    request: Request, order_id: UUID, who: AClerk, held: Held, idempotency_key: IdempotencyKey
) -> HandedOver:
    """All that is left of it went over the counter of this store; the channel is told."""

    async def work(connection: Any) -> Answer:
        order = await order_commands.order_of(connection, order_id.bytes)
        if order is None:
            raise Problem("not-found")
        await order_commands.hand_over(connection, held.vault, order, who.place)
        return {"order_id": str(order_id)}

    asked = commands.asked(request, who.key, idempotency_key, None)
    return HandedOver.model_validate(await commands.run(held, asked, work))


def _code_of(held: Resources, text: str, place: str) -> str | None:
    """The code in a scanned token; None of anything else. A token that is refused says why."""
    if not text.startswith(f"{coupon_tokens.PREFIX}."):
        return None
    public = coupon_tokens.public_key(token_key(held))
    try:
        return coupon_tokens.verify(text, public, place, datetime.now(UTC)).code
    except TokenRefused as refused:
        raise Problem("refused", cause="token_refused", reason=str(refused)) from None


async def _coupon(connection: Any, place: str, code: str) -> CounterCoupon | None:
    found = await coupon_commands.standings(connection, Counter(CHANNEL, place), [code])
    for standing in found:
        row = await coupon_reads.get(connection, EVERYTHING, standing.coupon_id)
        assert row is not None, "a coupon that stands is there"
        used = await coupon_reads.redemptions(connection, EVERYTHING, standing.coupon_id)
        return CounterCoupon(
            **head_fields(row),
            obstacles=standing.obstacles(names_account=False),
            token=None,
            redemptions=redemptions_of(used),
        )
    return None


async def _orders(connection: Any, held: Resources, place: str, text: str) -> list[CounterOrder]:
    """Orders of this number; of those of other stores no more than where they are."""
    sought = Search(connection, held.vault, text)
    keys = [row["order_id"] for row in await sought.orders(await sought.shops())]
    found = await order_reads.get(connection, EVERYTHING, keys)
    shown = []
    for row in found:
        is_here = row["place"] == place
        held_lines = await order_reads.lines(connection, row["order_id"]) if is_here else []
        lines = [
            {"sku": line["sku"], "name": line["name"],
             "left_milli": line["quantity_milli"] - line["fulfilled_milli"]}
            for line in held_lines
        ]  # fmt: skip
        details, _, _ = await order_reads.beside(connection, row["order_id"])
        shown.append(_pickup(row | (details or {}) | {"lines": lines}, place))
    return shown


def _pickup(row: dict[str, Any], place: str) -> CounterOrder:
    lines = [
        CounterLine(sku=line["sku"], name=line["name"], quantity=quantity(line["left_milli"]))
        for line in row["lines"] or []
        if line["left_milli"] > 0
    ]
    return CounterOrder(
        order_id=ids.text(row["order_id"]),
        channel=row["channel"],
        order_number=row["order_number"],
        place=row["place"],
        payment_status=row["payment_status"],
        fulfilment_status=row["fulfilment_status"],
        slot_from=row.get("slot_from"),
        slot_until=row.get("slot_until"),
        is_no_show=row.get("no_show_at") is not None,
        lines=lines,
        obstacle=order_commands.obstacle(row, place),
    )


async def _tell(held: Resources, place: str, use: LateUse, said: dict[str, Any]) -> None:
    """Send it as the store's own event. Raises Problem, as for a channel."""
    event = {
        "specversion": "1.0",
        "id": f"redeemed-{use.redemption_id}",
        "source": f"/channels/{CHANNEL}/shops/{place}",
        "type": "coupon.redeemed",
        "subject": use.code,
        "time": use.redeemed_at.isoformat(),
        "data": said,
    }
    headers = {"content-type": intake.STRUCTURED}
    post = intake.Post(headers.items(), orjson.dumps(event), datetime.now(UTC))
    (taken,) = intake.take(post, CHANNEL)
    topic = topics.topic_of(taken.event.type)
    await held.send([Record(topic, events.partition_key(taken.event), taken.body)])
