"""Identifiers of members: what they are, never whose, unless somebody asks who may see it."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, Field
from starlette.responses import Response

from hub.domain import ids
from hub.domain.ids import Key
from hub.store.keys import ApiKey
from hub.store.reads import members as reads
from hub.store.reads.queries import Row
from hub_api import reveals
from hub_api.keyring import viewer_of
from hub_api.paging import PageOf, PageQuery, Pager, respond
from hub_api.resources import Held, Resources
from hub_api.reveals import About, Reveal
from hub_api.routes.members import MASK, MemberReader, found_member

router = APIRouter(prefix="/v1/members", tags=["members"])
REFERENCE_LENGTH = 8


class Identifier(BaseModel):
    """An identifier of a profile."""

    type: str
    value: str = Field(description="Masked, unless revealed")
    reference: str = Field(description="Equal for equal values, tells nothing else")
    proof: str
    profile_id: str
    channel: str
    valid_from: datetime
    valid_to: datetime | None


class IdentifierQuery(PageQuery, Reveal):
    """Which page, and whether values are shown."""


@router.get("/{member_id}/identifiers", response_model=PageOf[Identifier])
async def get_identifiers(
    request: Request,
    member_id: UUID,
    key: MemberReader,
    held: Held,
    wanted: Annotated[IdentifierQuery, Query()],
) -> Response:
    """Identifiers of the profiles the key may see, the oldest first. With `reveal`, the values of
    those in its channel are shown, and that is recorded."""
    viewer = viewer_of(key)
    listing = f"identifiers {member_id} {viewer}"
    pager = Pager(held.signer, listing, tuple[datetime, bytes, str, bytes])
    page = pager.page(wanted)

    async def read(reader: Any) -> list[Row]:
        member = await found_member(reader, viewer, member_id)
        return await reads.identifiers(reader, viewer, member["member_id"], page)

    keyset = ("valid_from", "profile_id", "identifier_type", "value_hmac")
    shown, next_cursor = pager.cut(await held.database.read(read), page, keyset)
    values: dict[tuple[str, bytes], str] = {}
    if wanted.reveal:
        about = About(f"members/{member_id}", ["identifiers"])
        own = {row["profile_id"] for row in shown if viewer.channel in (None, row["channel"])}
        values = await _values(held, request, key, about, sorted(own))
    items = [_identifier(row, values) for row in shown]
    found = PageOf[Identifier](items=items, next_cursor=next_cursor)
    return respond(request, found, is_personal=wanted.reveal)


async def _values(
    held: Resources, request: Request, key: ApiKey, about: About, profiles: list[Key]
) -> dict[tuple[str, bytes], str]:
    """Identifiers in clear, by profile and type and what is kept of their value."""
    said = await reveals.of_profiles(held, request, key, about, profiles)
    return {
        (one["type"], held.vault.value_hmac(one["type"], one["value"])): one["value"]
        for found in said.values()
        for one in found.identifiers
    }


def _identifier(row: Row, values: dict[tuple[str, bytes], str]) -> Identifier:
    return Identifier(
        type=row["identifier_type"],
        value=values.get((row["identifier_type"], bytes(row["value_hmac"])), MASK),
        reference=bytes(row["value_hmac"]).hex()[:REFERENCE_LENGTH],
        proof=row["proof"],
        profile_id=ids.text(row["profile_id"]),
        channel=row["channel"],
        valid_from=row["valid_from"],
        valid_to=row["valid_to"],
    )
