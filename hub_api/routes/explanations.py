"""Why a balance is what it is: from the number to its lots, their entries, the event behind each
and the version of the rule."""

from collections import defaultdict
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, Field
from starlette.responses import Response

from hub.domain import earning, ids
from hub.domain.earning import NEVER
from hub.store.keys import ApiKey
from hub.store.reads import members, points
from hub.store.reads.queries import Row
from hub_api.amounts import id_text
from hub_api.keyring import Needs, viewer_of
from hub_api.paging import respond
from hub_api.resources import Held
from hub_api.routes.members import found_member

router = APIRouter(prefix="/v1/members/{member_id}/points", tags=["members"])
MemberReader = Annotated[ApiKey, Depends(Needs("members:read"))]
LOTS_MAX = 200
ENTRIES_MAX = 1_000


class Cause(BaseModel):
    """An entry of the ledger and the event that caused it."""

    kind: str
    points: int
    channel: str
    order_id: str | None
    occurred_at: datetime
    event_type: str | None
    event_id: str | None = Field(description="Of the key's own channel's events only")
    rule_version: str
    rule: str | None = Field(description="Why the version is as it is")


class Lot(BaseModel):
    """Points earned together: what was granted, what is left, and the entries behind it."""

    channel: str
    granted: int
    taken_back: int
    expired: int
    used: int = Field(description="Spent or held")
    pending: int
    open: int
    earned_at: datetime
    opens_at: datetime | None = Field(description="From when it can be used, null: not known yet")
    ends_at: datetime | None
    order_id: str | None
    rule_version: str
    entries: list[Cause]


class Explanation(BaseModel):
    """balance = open points of all lots - debt."""

    member_id: str
    balance: int
    open: int
    debt: int
    pending: int
    held: int
    lots: list[Lot] = Field(description="Those with open or pending points, at most 200")
    spendings: list[Cause] = Field(description="What was taken, the newest first, at most 1,000")


@router.get("/explanation", response_model=Explanation)
async def explain(request: Request, member_id: UUID, key: MemberReader, held: Held) -> Response:
    """Why the member's balance is what it is, over the profiles that the key may see."""
    viewer = viewer_of(key)

    async def read(reader: Any) -> Explanation:
        member = await found_member(reader, viewer, member_id)
        profiles = await members.profiles(reader, viewer, member["member_id"])
        profile_ids = [profile["profile_id"] for profile in profiles]
        accounts = await points.accounts(reader, profile_ids)
        lots = await points.lots(reader, profile_ids, LOTS_MAX)
        lot_ids = [lot["lot_id"] for lot in lots]
        causes = await points.causes(reader, viewer, profile_ids, lot_ids, ENTRIES_MAX)
        taken = await points.causes(reader, viewer, profile_ids, None, ENTRIES_MAX)
        reasons = _shipped() | await points.rules(reader)
        for row in (*causes, *taken):
            row["rule"] = reasons.get(row["rule_version"])
        return _explanation(member["member_id"], accounts, _lots(lots, causes), taken)

    return respond(request, await held.database.read(read))


def _explanation(
    member_id: ids.Key, accounts: list[Row], lots: list[Lot], taken: list[Row]
) -> Explanation:
    def total(name: str) -> int:
        return sum(account[f"{name}_points"] for account in accounts)

    return Explanation(
        member_id=ids.text(member_id),
        balance=total("open") - total("debt"),
        open=total("open"),
        debt=total("debt"),
        pending=total("pending"),
        held=total("held"),
        lots=lots,
        spendings=[_cause(row) for row in taken],
    )


def _lots(lots: list[Row], causes: list[Row]) -> list[Lot]:
    by_lot: dict[ids.Key, list[Cause]] = defaultdict(list)
    for row in causes:
        by_lot[row["lot_id"]].append(_cause(row))
    return [_lot(row, by_lot[row["lot_id"]]) for row in lots]


def _lot(row: Row, entries: list[Cause]) -> Lot:
    kept = row["pending_points"] + row["open_points"] + row["expired_points"]
    return Lot(
        channel=row["channel"],
        granted=row["granted_points"],
        taken_back=row["granted_points"] - row["earned_points"],
        expired=row["expired_points"],
        used=row["earned_points"] - kept,
        pending=row["pending_points"],
        open=row["open_points"],
        earned_at=row["earned_at"],
        opens_at=row["opens_at"] if row["opens_at"] < NEVER else None,
        ends_at=row["ends_at"],
        order_id=id_text(row["order_id"]),
        rule_version=row["rule_version"],
        entries=entries,
    )


def _cause(row: Row) -> Cause:
    return Cause(
        kind=row["kind"],
        points=row["points"],
        channel=row["channel"],
        order_id=id_text(row["order_id"]),
        occurred_at=row["occurred_at"],
        event_type=row["event_type"],
        event_id=row["event_id"],
        rule_version=row["rule_version"],
        rule=row["rule"],
    )


def _shipped() -> dict[str, str]:
    """Why the versions that the hub comes with are as they are."""
    return {rule.version: rule.reason for rule in earning.SCHEME.rules}
