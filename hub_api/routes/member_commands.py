"""What people decide about members: one person or two, forgotten; and what a merge would bring."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, ConfigDict, Field

from hub.domain import ids
from hub.domain.ids import Key
from hub.store import member_commands
from hub.store.commands import Answer
from hub.store.keys import ApiKey
from hub.store.member_commands import Account
from hub.store.reads import members as reads
from hub.store.reads.viewer import Viewer
from hub.store.sealing import Vault
from hub_api import commands, requests
from hub_api.commands import IdempotencyKey
from hub_api.keyring import Needs, channel_of, viewer_of
from hub_api.problems import Fault, Problem
from hub_api.resources import Held
from hub_api.routes.members import MemberReader, found_member

router = APIRouter(prefix="/v1/members", tags=["members"])
MemberWriter = Annotated[ApiKey, Depends(Needs("members:write"))]
EVERYTHING = Viewer(None)
Reason = Annotated[str | None, Field(max_length=256, pattern=r"^[^\x00]*$")]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)


class Pair(_Body):
    """Two members who may be one person."""

    member_ids: Annotated[list[UUID], Field(min_length=2, max_length=2)]


class Share(BaseModel):
    """What a member holds."""

    member_id: str
    profile_ids: list[str]
    points: int
    coupons: int
    orders: int


class Conflict(BaseModel):
    """What speaks against it: `differ` in a type of identifier, or `ruled_apart` by a person."""

    kind: str
    about: str


class Preview(BaseModel):
    """What a merge would bring together."""

    survivor_id: str
    members: list[Share]
    points: int
    conflicts: list[Conflict]


class Merge(_Body):
    """The other member who is the same person."""

    other_id: UUID
    reason: Reason = None


class Split(_Body):
    """Which profiles are somebody else; or the merge to undo, as its manifest says."""

    profile_ids: Annotated[list[UUID], Field(max_length=50)] = []
    merge_id: UUID | None = None
    reason: Reason = None


class Erase(_Body):
    """Why a person is forgotten."""

    reason: Reason = None


class EraseAccount(Erase):
    """Which account is forgotten, and why; of the key's channel unless said."""

    channel: Annotated[str | None, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,63}$")] = None
    account: Annotated[str, Field(min_length=1, max_length=128, pattern=r"^[^\x00-\x1f\x7f]+$")]


class Decided(BaseModel):
    """The members that answer for the profiles now."""

    member_ids: list[str]


class Manifest(BaseModel):
    """A merge or un-merge: who was which member before and after, and by what."""

    merge_id: str
    kind: str
    members_before: dict[str, list[str]]
    members_after: dict[str, list[str]]
    edges: list[dict[str, Any]]
    rule_version: str
    merged_at: datetime


class Manifests(BaseModel):
    """The newest first."""

    merges: list[Manifest]


class Certificate(BaseModel):
    """What became of a profile's data in each store."""

    profile_id: str
    erased_at: datetime
    certified_at: datetime
    results: dict[str, str]


class Certificates(BaseModel):
    """The newest first."""

    certificates: list[Certificate]


@router.post("/merge-preview", openapi_extra=requests.schema_of(Pair))
async def preview_merge(request: Request, key: MemberReader, held: Held) -> Preview:
    """What two members hold and what speaks against a merge. Nothing is changed."""
    pair = await requests.read(request, held, Pair)
    _needs_all_channels(key)

    async def read(connection: Any) -> Preview:
        found = [await found_member(connection, EVERYTHING, one) for one in pair.member_ids]
        member_ids = [row["member_id"] for row in found]
        shares = [await _share(connection, member_id) for member_id in dict.fromkeys(member_ids)]
        conflicts = await member_commands.conflicts(connection, held.vault, member_ids)
        return Preview(
            survivor_id=ids.text(min(member_ids)),
            members=shares,
            points=sum(share.points for share in shares),
            conflicts=[Conflict.model_validate(conflict) for conflict in conflicts],
        )

    return await held.database.read(read)


@router.post("/{member_id}/merge", openapi_extra=requests.schema_of(Merge))
async def merge(
    request: Request,
    member_id: UUID,
    key: MemberWriter,
    held: Held,
    idempotency_key: IdempotencyKey,
) -> Decided:
    """These two are one person: said by somebody who knows, whatever else speaks against it."""
    wanted = await requests.read(request, held, Merge)
    _needs_all_channels(key)
    asked = commands.asked(request, key, idempotency_key, wanted)

    async def work(connection: Any) -> Answer:
        pair = await _members(connection, member_id, wanted.other_id)
        survivor = await member_commands.merge(connection, held.vault, pair, wanted.reason)
        return {"member_ids": [ids.text(survivor)]}

    return Decided.model_validate(await commands.run(held, asked, work))


@router.post("/{member_id}/split", openapi_extra=requests.schema_of(Split))
async def split(
    request: Request,
    member_id: UUID,
    key: MemberWriter,
    held: Held,
    idempotency_key: IdempotencyKey,
) -> Decided:
    """These profiles are another person: points, coupons and orders go with the profile they came
    to, and nothing that both show joins them again."""
    wanted = await requests.read(request, held, Split)
    _needs_all_channels(key)
    asked = commands.asked(request, key, idempotency_key, wanted)

    async def work(connection: Any) -> Answer:
        row = await found_member(connection, EVERYTHING, member_id)
        owned = await member_commands.accounts(connection, row["member_id"])
        parts = await _parts(connection, owned, wanted)
        await member_commands.split(connection, held.vault, parts, wanted.reason)
        return {"member_ids": await _members_of(connection, owned)}

    return Decided.model_validate(await commands.run(held, asked, work))


@router.post("/{member_id}/erase", openapi_extra=requests.schema_of(Erase))
async def erase(
    request: Request,
    member_id: UUID,
    key: MemberWriter,
    held: Held,
    idempotency_key: IdempotencyKey,
) -> Certificates:
    """Forget the person of these profiles: a channel's key those of its channel, others all.

    Amounts stay. Answers a certificate for each profile; it can be read again by the profile's id.
    """
    wanted = await requests.read(request, held, Erase)
    asked = commands.asked(request, key, idempotency_key, wanted)
    viewer = viewer_of(key)

    async def work(connection: Any) -> Answer:
        row = await found_member(connection, viewer, member_id)
        owned = await member_commands.accounts(connection, row["member_id"])
        own = [one for one in owned if key.channel in (None, one.channel)]
        return await _forget(connection, held.vault, own, wanted.reason)

    return Certificates.model_validate(await commands.run(held, asked, work))


@router.post("/erase", openapi_extra=requests.schema_of(EraseAccount))
async def erase_account(
    request: Request, key: MemberWriter, held: Held, idempotency_key: IdempotencyKey
) -> Certificates:
    """Forget an account by its name, also one that the hub has never heard of: what comes late of
    it does not bring the person back."""
    wanted = await requests.read(request, held, EraseAccount)
    named = wanted.channel or key.channel
    if named is None:
        raise Problem("invalid", [Fault("channel", "the key is of no channel: name one")])
    channel = channel_of(key, named)
    one = Account(ids.profile_id(channel, wanted.account), channel, wanted.account)
    asked = commands.asked(request, key, idempotency_key, wanted)

    async def work(connection: Any) -> Answer:
        return await _forget(connection, held.vault, [one], wanted.reason)

    return Certificates.model_validate(await commands.run(held, asked, work))


async def _forget(
    connection: Any, vault: Vault, own: Sequence[Account], reason: str | None
) -> Answer:
    await member_commands.erase(connection, vault, own, reason)
    found = [(await reads.certificates(connection, EVERYTHING, one.profile_id))[0] for one in own]
    return {"certificates": [_certificate(row).model_dump() for row in found]}


@router.get("/{profile_id}/erasure")
async def get_erasure(profile_id: UUID, key: MemberReader, held: Held) -> Certificates:
    """The certificates of an erased profile, the newest first."""
    viewer = viewer_of(key)
    found = await held.database.read(
        lambda reader: reads.certificates(reader, viewer, profile_id.bytes)
    )
    if not found:
        raise Problem("not-found")
    return Certificates(certificates=[_certificate(row) for row in found])


@router.get("/{member_id}/merges")
async def get_merges(member_id: UUID, key: MemberReader, held: Held) -> Manifests:
    """The manifests of merges and un-merges of a member, the newest first."""
    _needs_all_channels(key)

    async def read(reader: Any) -> list[Manifest]:
        row = await found_member(reader, EVERYTHING, member_id)
        found = await reads.merges(reader, row["member_id"])
        return [
            Manifest.model_validate(one | {"merge_id": ids.text(one["merge_id"])}) for one in found
        ]

    return Manifests(merges=await held.database.read(read))


def _needs_all_channels(key: ApiKey) -> None:
    """Who is one person over channels is not for the key of one channel to say."""
    if key.channel is not None:
        raise Problem("foreign-channel")


async def _share(connection: Any, member_id: Key) -> Share:
    profiles = [one.profile_id for one in await member_commands.accounts(connection, member_id)]
    row = await reads.held_by(connection, profiles)
    named = {"member_id": ids.text(member_id), "profile_ids": [ids.text(p) for p in profiles]}
    return Share.model_validate(row | named)


async def _members(connection: Any, one: UUID, other: UUID) -> tuple[Key, Key]:
    left = await found_member(connection, EVERYTHING, one)
    right = await found_member(connection, EVERYTHING, other)
    return left["member_id"], right["member_id"]


async def _members_of(connection: Any, accounts: list[Account]) -> list[str]:
    rows = [await found_member(connection, EVERYTHING, UUID(bytes=a.profile_id)) for a in accounts]
    return sorted({ids.text(row["member_id"]) for row in rows})


async def _parts(connection: Any, owned: list[Account], wanted: Split) -> list[list[Account]]:
    """The profiles of the member as they are to part: those named from the rest, or as the merge
    found them. Who came to the member later goes where the evidence is strongest."""
    if wanted.merge_id is None:
        going = {one.bytes for one in wanted.profile_ids}
        groups = [going, {one.profile_id for one in owned} - going]
        known = {one.profile_id for one in owned} >= going
    else:
        before = await reads.merged_before(connection, wanted.merge_id.bytes)
        groups = [{ids.parse(one) for one in named} for named in (before or {}).values()]
        known = True
    parts = [[one for one in owned if one.profile_id in group] for group in groups]
    parts = [part for part in parts if part]
    if not known or len(parts) < 2:
        field = "merge_id" if wanted.merge_id is not None else "profile_ids"
        raise Problem("invalid", [Fault(field, "some of the member's profiles, and not all")])
    return parts


def _certificate(row: dict[str, Any]) -> Certificate:
    return Certificate.model_validate(row | {"profile_id": ids.text(row["profile_id"])})
