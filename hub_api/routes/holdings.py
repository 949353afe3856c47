"""What a member holds and what happened to it: orders, points, coupons, timeline.

Each list shows what the key may see of all profiles that belong to the member today.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, Field
from starlette.responses import Response

from hub.domain import ids
from hub.domain.ids import Key
from hub.store.keys import ApiKey
from hub.store.reads import coupons, members, orders, points
from hub.store.reads.queries import Row
from hub.store.reads.viewer import Page
from hub_api.amounts import id_text
from hub_api.keyring import Needs, viewer_of
from hub_api.paging import PageAsked, PageOf, PageQuery, Pager, respond
from hub_api.problems import Problem
from hub_api.resources import Held, Resources
from hub_api.routes.coupons import CouponHead
from hub_api.routes.coupons import head_fields as coupon_fields
from hub_api.routes.members import found_member
from hub_api.routes.orders import OrderHead
from hub_api.routes.orders import head_fields as order_fields

router = APIRouter(prefix="/v1/members/{member_id}", tags=["members"])
MemberReader = Annotated[ApiKey, Depends(Needs("members:read"))]
NEWEST_FIRST = tuple[datetime, bytes]
_TOTALS = ("issued", "spent", "expired", "reversed", "pending", "held", "open", "debt")


class PointsEntry(BaseModel):
    """One row of the ledger; `points` is negative where points went."""

    entry_id: str
    channel: str
    kind: str
    points: int
    order_id: str | None
    occurred_at: datetime
    rule_version: str


class Points(PageOf[PointsEntry]):
    """Sums over the profiles the key may see, and the ledger, newest first."""

    member_id: str
    balance: int = Field(description="open - debt")
    issued: int
    spent: int
    expired: int
    reversed: int
    pending: int
    held: int
    open: int
    debt: int


class Happening(BaseModel):
    """An event of the member, or of an order or coupon of it."""

    occurred_at: datetime
    received_at: datetime
    type: str
    channel: str
    shop: str
    object_kind: str
    object_id: str
    outcome: str
    reason: str | None


@dataclass(frozen=True, slots=True)
class Listing:
    """What every list of a member is asked with."""

    request: Request
    member_id: UUID
    key: ApiKey
    page: PageQuery


def _listing(
    request: Request,
    member_id: UUID,
    key: MemberReader,
    page: PageAsked,
) -> Listing:
    return Listing(request, member_id, key, page)


Asked = Annotated[Listing, Depends(_listing)]


@dataclass(frozen=True, slots=True)
class Found:
    """A page of rows, the member they are of and its profiles that the key may see."""

    member_id: str
    profile_ids: list[Key]
    rows: list[Row]
    next_cursor: str | None


Read = Callable[[Any, list[Key], Page], Awaitable[list[Row]]]


@router.get("/orders", response_model=PageOf[OrderHead])
async def get_orders(asked: Asked, held: Held) -> Response:
    """The member's orders without their lines, the newest first."""
    _needs(asked, "orders:read")
    found = await _find(asked, held, ("orders", "listed_at", "order_id"), orders.of_profiles)
    items = [
        OrderHead.model_validate(order_fields(row) | {"member_id": found.member_id})
        for row in found.rows
    ]
    return respond(asked.request, PageOf[OrderHead](items=items, next_cursor=found.next_cursor))


@router.get("/coupons", response_model=PageOf[CouponHead])
async def get_coupons(asked: Asked, held: Held) -> Response:
    """The coupons the member holds or may claim, the newest first."""
    _needs(asked, "coupons:read")
    found = await _find(asked, held, ("coupons", "listed_at", "coupon_id"), coupons.of_profiles)
    items = [CouponHead.model_validate(coupon_fields(row)) for row in found.rows]
    return respond(asked.request, PageOf[CouponHead](items=items, next_cursor=found.next_cursor))


@router.get("/points", response_model=Points)
async def get_points(asked: Asked, held: Held) -> Response:
    """The member's points: sums, and the ledger with the newest entry first."""
    found = await _find(asked, held, ("points", "occurred_at", "entry_id"), points.entries)
    accounts = await held.database.read(lambda reader: points.accounts(reader, found.profile_ids))
    sums = {name: sum(account[f"{name}_points"] for account in accounts) for name in _TOTALS}
    items = [
        PointsEntry(
            entry_id=ids.text(row["entry_id"]),
            channel=row["channel"],
            kind=row["kind"],
            points=row["points"],
            order_id=id_text(row["order_id"]),
            occurred_at=row["occurred_at"],
            rule_version=row["rule_version"],
        )
        for row in found.rows
    ]
    answer = Points(
        member_id=found.member_id,
        balance=sums["open"] - sums["debt"],
        items=items,
        next_cursor=found.next_cursor,
        **sums,
    )
    return respond(asked.request, answer)


@router.get("/timeline", response_model=PageOf[Happening])
async def get_timeline(asked: Asked, held: Held) -> Response:
    """What happened to the member, its orders and its coupons, the newest first.

    Tells what happened and when, never the event itself.
    """
    viewer = viewer_of(asked.key)

    async def read(reader: Any, profile_ids: list[Key], page: Page) -> list[Row]:
        return await members.timeline(reader, viewer, profile_ids, page)

    found = await _find(asked, held, ("timeline", "occurred_at", "event_key"), read)
    items = [
        Happening.model_validate(row | {"object_id": ids.text(row["object_id"])})
        for row in found.rows
    ]
    return respond(asked.request, PageOf[Happening](items=items, next_cursor=found.next_cursor))


def _needs(asked: Listing, scope: str) -> None:
    if not asked.key.allows(scope):
        raise Problem("scope-missing", scope=scope)


async def _find(
    asked: Listing, held: Resources, listing: tuple[str, str, str], read: Read
) -> Found:
    """One page of a list; `listing` is its name and the two columns of its keyset."""
    name, *keyset = listing
    viewer = viewer_of(asked.key)
    pager = Pager(held.signer, f"{name} {asked.member_id} {viewer}", NEWEST_FIRST)
    page = pager.page(asked.page)

    async def work(reader: Any) -> tuple[Row, list[Key], list[Row]]:
        member = await found_member(reader, viewer, asked.member_id)
        profiles = await members.profiles(reader, viewer, member["member_id"])
        profile_ids = [profile["profile_id"] for profile in profiles]
        return member, profile_ids, await read(reader, profile_ids, page)

    member, profile_ids, rows = await held.database.read(work)
    shown, next_cursor = pager.cut(rows, page, keyset)
    return Found(ids.text(member["member_id"]), profile_ids, list(shown), next_cursor)
