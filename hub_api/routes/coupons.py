"""A coupon by its code."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Request
from pydantic import BaseModel
from starlette.responses import Response

from hub.domain import ids
from hub.domain.coupon_codes import normalise_code
from hub.store.keys import ApiKey
from hub.store.reads import coupons as reads
from hub_api.amounts import amount, id_text
from hub_api.keyring import Needs, viewer_of
from hub_api.paging import respond
from hub_api.problems import Problem
from hub_api.resources import Held

router = APIRouter(prefix="/v1/coupons", tags=["coupons"])
Reader = Annotated[ApiKey, Depends(Needs("coupons:read"))]


class CouponHead(BaseModel):
    """A coupon without its redemptions; `face_value` is a decimal string in `currency`.

    `is_claimable`: in a member's list, that it is for a phone or e-mail the member has verified.
    `refunded`: after a refund, what the buyer gets back for the uses that were left.
    """

    coupon_id: str
    code: str
    kind: str
    template: str | None
    status: str
    is_claimable: bool = False
    uses_total: int
    uses_redeemed: int
    face_value: str | None
    refunded: str | None = None
    currency: str | None
    issued_at: datetime | None
    claimed_at: datetime | None
    valid_from: datetime | None
    valid_until: datetime | None


class Redemption(BaseModel):
    """One use of a coupon; one that is not accepted says why in `refusal`."""

    redemption_id: str
    channel: str
    shop: str
    place: str | None
    order_number: str | None
    amount: str | None
    currency: str | None
    redeemed_at: datetime
    reversed_at: datetime | None
    is_accepted: bool
    refusal: str | None


class Coupon(CouponHead):
    """A coupon with those of its redemptions that the key may see."""

    member_id: str | None
    redemptions: list[Redemption]


@router.get("/{code:path}", response_model=Coupon)
async def get_coupon(
    request: Request,
    code: Annotated[str, Path(min_length=1, max_length=128)],
    key: Reader,
    held: Held,
) -> Response:
    """A coupon, however its code is written (case, spaces, full-width).

    Seen by the channels that issued, hold or redeemed it. A key that finds nothing too often has
    to wait: codes can't be guessed.
    """
    held.keyring.refuse_guessing(key, "coupon")
    viewer = viewer_of(key)
    coupon_id = ids.coupon_id(normalise_code(code))

    async def read(reader: Any) -> Coupon | None:
        row = await reads.get(reader, viewer, coupon_id)
        if row is None:
            return None
        used = await reads.redemptions(reader, viewer, coupon_id)
        return Coupon(
            **head_fields(row),
            member_id=id_text(row["member_id"]),
            redemptions=redemptions_of(used),
        )

    coupon = await held.database.read(read)
    if coupon is None:
        held.keyring.miss(key, "coupon")
        raise Problem("not-found")
    return respond(request, coupon)


def redemptions_of(rows: list[dict[str, Any]]) -> list[Redemption]:
    """The uses of a coupon, from rows of the store."""
    return [Redemption(**use, amount=amount(use["amount_minor"], use["currency"])) for use in rows]


def head_fields(row: dict[str, Any]) -> dict[str, Any]:
    """The fields of a `CouponHead` from a row of the store."""
    return {name: row[name] for name in CouponHead.model_fields if name in row} | {
        "coupon_id": ids.text(row["coupon_id"]),
        "face_value": amount(row["face_value_minor"], row["currency"]),
        "refunded": amount(row.get("refunded_minor") or None, row["currency"]),
    }
