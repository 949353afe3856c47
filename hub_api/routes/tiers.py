"""The levels of a member, and how it came to them."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, Field
from starlette.responses import Response

from hub.domain import ids
from hub.store.keys import ApiKey
from hub.store.reads import tiers as reads
from hub_api.keyring import Needs, viewer_of
from hub_api.paging import respond
from hub_api.resources import Held
from hub_api.routes.members import Tier, found_member, tier

router = APIRouter(prefix="/v1/members/{member_id}/tiers", tags=["members"])
MemberReader = Annotated[ApiKey, Depends(Needs("members:read"))]
CHANGES_MAX = 200


class TierChange(BaseModel):
    """One change of a level; null is none."""

    scheme: str
    changed_at: datetime
    level_before: str | None
    level: str | None
    cause: str = Field(
        description="reached, refunded, reviewed, left_window, bought, paid_ended or new_version"
    )
    scheme_version: int


class PlatformTier(BaseModel):
    """The level of an account at a channel whose platform decides on tiers; null is none."""

    channel: str
    account: str
    level: str | None = Field(description="As the platform calls it")
    levels: dict[str, str] = Field(description="By scheme: what it is called in it")
    valid_until: datetime | None
    reported_at: datetime


class Tiers(BaseModel):
    """The member's level in each scheme, the newest changes, at most 200, and the levels that
    platforms report, which the hub only mirrors."""

    member_id: str
    tiers: list[Tier]
    changes: list[TierChange]
    reported: list[PlatformTier]


@router.get("", response_model=Tiers)
async def get_tiers(request: Request, member_id: UUID, key: MemberReader, held: Held) -> Response:
    """The member's levels and their history, told from its growth and the schemes' versions."""
    viewer = viewer_of(key)

    async def read(reader: Any) -> Tiers:
        member = (await found_member(reader, viewer, member_id))["member_id"]
        levels = await reads.of_member(reader, viewer, member)
        changes = await reads.changes(reader, member, CHANGES_MAX)
        reported = await reads.reported(reader, viewer, member)
        return Tiers(
            member_id=ids.text(member),
            tiers=[tier(row) for row in levels],
            changes=[TierChange.model_validate(row) for row in changes],
            reported=[PlatformTier.model_validate(row) for row in reported],
        )

    return respond(request, await held.database.read(read))
