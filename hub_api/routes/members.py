"""Members: who they are. What they hold and what happened to them: `hub_api.routes.holdings`."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from hub.domain import identifiers, ids, policy
from hub.domain.survivorship import Said, survivors
from hub.store.keys import ApiKey
from hub.store.reads import members as reads
from hub.store.reads import tiers
from hub.store.reads.queries import Row
from hub.store.reads.viewer import Viewer
from hub_api import requests
from hub_api.keyring import Needs, viewer_of
from hub_api.paging import PageAsked, PageOf, Pager, respond
from hub_api.problems import Fault, Problem
from hub_api.resources import Held, Resources

router = APIRouter(prefix="/v1/members", tags=["members"])
MemberReader = Annotated[ApiKey, Depends(Needs("members:read"))]
MASK = "***"
REFERENCE_LENGTH = 8


class Wanted(BaseModel):
    """An identifier to look a member up by; `account` is the channel's own name of a profile."""

    model_config = ConfigDict(extra="forbid", title="Identifier", hide_input_in_errors=True)

    type: Literal["phone", "email", "openid", "unionid", "crm_id", "card", "account"]
    value: str = Field(min_length=1, max_length=256)
    app: Annotated[str | None, Field(max_length=128, description="Which app an openid is of")] = (
        None
    )
    channel: Annotated[
        str | None, Field(max_length=64, description="Which channel an account is of: the key's")
    ] = None


class Candidate(BaseModel):
    """A member who holds the identifier."""

    member_id: str
    is_verified: bool = Field(description="The member proved to hold it; else only stated it")


class Candidates(BaseModel):
    """Those who proved it come first; at most 20."""

    members: list[Candidate]


class Profile(BaseModel):
    """One account at one channel."""

    profile_id: str
    channel: str
    account: str | None = Field(description="Null for accounts of other channels")
    name: str | None = Field(description="Masked; null if the channel gave no personal data")
    registered_at: datetime | None
    first_seen_at: datetime


class Attribute(BaseModel):
    """The value that counts of what the profiles say, and where it is from."""

    name: str
    value: str = Field(description="Masked where it is personal")
    channel: str
    profile_id: str
    said_at: datetime


class Consent(BaseModel):
    """What the person allows, as one of the profiles last said."""

    purpose: str
    medium: str
    is_granted: bool
    channel: str
    profile_id: str
    changed_at: datetime


class Tier(BaseModel):
    """The member's level in a scheme; null is none."""

    scheme: str
    level: str | None
    since: datetime | None
    valid_until: datetime | None = Field(description="When it is reviewed, if the scheme does so")
    value: int | None = Field(
        description="Growth, or minor units paid; null for keys that see one channel"
    )
    scheme_version: int
    price_list: str | None = Field(description="By which the member buys, if the level has one")
    platform_levels: dict[str, str] = Field(description="What channels call the level")


class Member(BaseModel):
    """A person, joined from profiles. `asked_id` differs after a merge: the survivor answers."""

    member_id: str
    asked_id: str
    first_seen_at: datetime
    profiles: list[Profile]
    attributes: list[Attribute]
    consents: list[Consent]
    tiers: list[Tier]


class Identifier(BaseModel):
    """An identifier of a profile; its value is kept as a keyed digest and never shown."""

    type: str
    value: str = Field(description="Masked")
    reference: str = Field(description="Equal for equal values, tells nothing else")
    proof: str
    profile_id: str
    channel: str
    valid_from: datetime
    valid_to: datetime | None


@router.post("/lookup", openapi_extra=requests.schema_of(Wanted))
async def look_up(request: Request, key: MemberReader, held: Held) -> Candidates:
    """Members who hold an identifier. It stands in the body: a URL may be logged on its way."""
    held.keyring.refuse_guessing(key, "member")
    wanted = await requests.read(request, held, Wanted)
    viewer = viewer_of(key)
    found = await held.database.read(lambda reader: _holders(reader, held, viewer, wanted))
    if not found:
        held.keyring.miss(key, "member")
        raise Problem("not-found")
    return Candidates(
        members=[
            Candidate(member_id=ids.text(row["member_id"]), is_verified=row["is_verified"])
            for row in found
        ]
    )


@router.get("/{member_id}", response_model=Member)
async def get_member(request: Request, member_id: UUID, key: MemberReader, held: Held) -> Response:
    """A member with a profile in the key's channel."""
    viewer = viewer_of(key)

    async def read(reader: Any) -> Member:
        row = await found_member(reader, viewer, member_id)
        profiles = await reads.profiles(reader, viewer, row["member_id"])
        named = [profile["profile_id"] for profile in profiles]
        said = await reads.said(reader, viewer, named)
        consents = await reads.consents(reader, viewer, named)
        levels = await tiers.of_member(reader, viewer, row["member_id"])
        return Member(
            member_id=ids.text(row["member_id"]),
            asked_id=str(member_id),
            first_seen_at=row["first_seen_at"],
            profiles=[_profile(profile) for profile in profiles],
            attributes=[_attribute(one) for one in survivors(said, policy.default().channels)],
            consents=[
                Consent.model_validate(consent | {"profile_id": ids.text(consent["profile_id"])})
                for consent in consents
            ],
            tiers=[tier(level) for level in levels],
        )

    member = await held.database.read(read)
    place = {"Content-Location": f"/v1/members/{member.member_id}"}
    return respond(request, member, place)


@router.get("/{member_id}/identifiers", response_model=PageOf[Identifier])
async def get_identifiers(
    request: Request,
    member_id: UUID,
    key: MemberReader,
    held: Held,
    wanted: PageAsked,
) -> Response:
    """Identifiers of the profiles the key may see, the oldest first."""
    viewer = viewer_of(key)
    listing = f"identifiers {member_id} {viewer}"
    pager = Pager(held.signer, listing, tuple[datetime, bytes, str, bytes])
    page = pager.page(wanted)

    async def read(reader: Any) -> list[Row]:
        member = await found_member(reader, viewer, member_id)
        return await reads.identifiers(reader, viewer, member["member_id"], page)

    keyset = ("valid_from", "profile_id", "identifier_type", "value_hmac")
    shown, next_cursor = pager.cut(await held.database.read(read), page, keyset)
    items = [_identifier(row) for row in shown]
    return respond(request, PageOf[Identifier](items=items, next_cursor=next_cursor))


async def found_member(reader: Any, viewer: Viewer, member_id: UUID) -> Row:
    """The member that answers for this id, or the problem that there is none to see."""
    row = await reads.survivor(reader, viewer, member_id.bytes)
    if row is None:
        raise Problem("not-found")
    return row


async def _holders(reader: Any, held: Resources, viewer: Viewer, wanted: Wanted) -> list[Row]:
    if wanted.type == "account":
        channel = wanted.channel or viewer.channel
        if channel is None:
            raise Problem("invalid", [Fault("channel", "the key is of no channel: name one")])
        profile = ids.profile_id(channel, wanted.value)
        return await reads.holder_of_profile(reader, viewer, profile)
    value = identifiers.normalise(wanted.type, wanted.value, wanted.app)
    if value is None:
        raise Problem("invalid", [Fault("value", "a value like this identifies nobody")])
    digest = held.vault.value_hmac(wanted.type, value)
    return await reads.holders(reader, viewer, wanted.type, digest)


def tier(row: Row) -> Tier:
    """A row of `reads.tiers.of_member` as the API shows it."""
    return Tier.model_validate(row | {"since": row["since_at"]})


def _attribute(one: Said) -> Attribute:
    return Attribute(
        name=one.name,
        value=one.value if one.value is not None else MASK,
        channel=one.channel,
        profile_id=ids.text(one.profile_id),
        said_at=one.said_at,
    )


def _profile(row: Row) -> Profile:
    return Profile(
        profile_id=ids.text(row["profile_id"]),
        channel=row["channel"],
        account=row["account"],
        name=MASK if row["has_personal_data"] else None,
        registered_at=row["registered_at"],
        first_seen_at=row["first_seen_at"],
    )


def _identifier(row: Row) -> Identifier:
    return Identifier(
        type=row["identifier_type"],
        value=MASK,
        reference=bytes(row["value_hmac"]).hex()[:REFERENCE_LENGTH],
        proof=row["proof"],
        profile_id=ids.text(row["profile_id"]),
        channel=row["channel"],
        valid_from=row["valid_from"],
        valid_to=row["valid_to"],
    )
