"""Members: who they are. Their identifiers: `hub_api.routes.identifiers`; what they hold and what
happened to them: `hub_api.routes.holdings`."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from hub.domain import identifiers, ids
from hub.domain.ids import Key
from hub.domain.survivorship import Said, survivors
from hub.store import matching_policies
from hub.store.keys import ApiKey
from hub.store.personal import Personal
from hub.store.reads import members as reads
from hub.store.reads import tiers
from hub.store.reads.queries import Row
from hub.store.reads.viewer import Viewer
from hub_api import requests, reveals
from hub_api.amounts import quantity
from hub_api.keyring import Needs, viewer_of
from hub_api.paging import respond
from hub_api.problems import Fault, Problem
from hub_api.resources import Held, Resources
from hub_api.reveals import About, RevealAsked

router = APIRouter(prefix="/v1/members", tags=["members"])
MemberReader = Annotated[ApiKey, Depends(Needs("members:read"))]
MASK = "***"


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
    name: str | None = Field(
        description="Masked unless revealed; null if the channel gave no personal data"
    )
    registered_at: datetime | None
    first_seen_at: datetime


class Attribute(BaseModel):
    """The value that counts of what the profiles say, and where it is from."""

    name: str
    value: str = Field(description="Masked where it is personal, unless revealed")
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
    points_factor: str = Field(description="What orders earn by it: 2 doubles")
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
async def get_member(
    request: Request, member_id: UUID, key: MemberReader, held: Held, wanted: RevealAsked
) -> Response:
    """A member with a profile in the key's channel. With `reveal`, what its profiles in that
    channel say of the person is shown, and that is recorded."""
    viewer = viewer_of(key)

    async def read(reader: Any) -> Member:
        row = await found_member(reader, viewer, member_id)
        profiles = await reads.profiles(reader, viewer, row["member_id"])
        named = [profile["profile_id"] for profile in profiles]
        said = await reads.said(reader, viewer, named)
        consents = await reads.consents(reader, viewer, named)
        levels = await tiers.of_member(reader, viewer, row["member_id"])
        channels = (await matching_policies.in_force(reader)).channels
        return Member(
            member_id=ids.text(row["member_id"]),
            asked_id=str(member_id),
            first_seen_at=row["first_seen_at"],
            profiles=[_profile(profile) for profile in profiles],
            attributes=[_attribute(one) for one in survivors(said, channels)],
            consents=[
                Consent.model_validate(consent | {"profile_id": ids.text(consent["profile_id"])})
                for consent in consents
            ],
            tiers=[tier(level) for level in levels],
        )

    member = await held.database.read(read)
    if wanted.reveal:
        about = About(f"members/{member.member_id}", ["profiles", "attributes"])
        own = _own(viewer, member.profiles)
        _reveal(member, await reveals.of_profiles(held, request, key, about, own))
    place = {"Content-Location": f"/v1/members/{member.member_id}"}
    return respond(request, member, place, is_personal=wanted.reveal)


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
    factor = quantity(row["points_factor_milli"])
    return Tier.model_validate(row | {"since": row["since_at"], "points_factor": factor})


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


def _own(viewer: Viewer, profiles: list[Profile]) -> list[Key]:
    """The profiles of whose persons the viewer may see what is personal: its channel's."""
    return [ids.parse(one.profile_id) for one in profiles if viewer.channel in (None, one.channel)]


def _reveal(member: Member, said: dict[Key, Personal]) -> None:
    """Put what is personal in place of its mask."""
    by_id = {ids.text(profile): one.personal for profile, one in said.items()}
    for profile in member.profiles:
        if profile.profile_id in by_id:
            profile.name = by_id[profile.profile_id].get("name")
    for one in member.attributes:
        one.value = by_id.get(one.profile_id, {}).get(one.name, one.value)
