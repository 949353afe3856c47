"""Channels by configuration: packs, channels, their trial, and what was parked of their pushes."""

from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec
from fastapi import APIRouter, Depends, Path, Query, Request
from pydantic import BaseModel, ConfigDict, Field

from hub.channels import checked
from hub.channels.pack import Pack
from hub.domain import channels as documents
from hub.domain.documents import BadDocument
from hub.store import channels, configs
from hub.store.configs import Draft
from hub.store.keys import ApiKey
from hub_api import pushes, requests
from hub_api.keyring import OfTheHouse
from hub_api.limits import PAGE_ROWS_MAX
from hub_api.paging import PageQuery, Pager
from hub_api.problems import Fault, Problem
from hub_api.resources import Held, Resources
from hub_api.routes.cases import Reason
from hub_api.routes.events import Channel

router = APIRouter(prefix="/v1", tags=["channels"])
Admin = Annotated[ApiKey, Depends(OfTheHouse("admin"))]
PackName = Annotated[str, Path(pattern=r"^[a-z][a-z0-9_]{0,39}$")]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)


class NewChannel(_Body):
    """A channel's configuration. `secrets`: new ones by name; the former lives on for a week."""

    pack: str
    state: Literal["draft", "shadow", "live", "off"]
    reason: Reason
    pack_version: int | None = None
    settings: dict[str, str] = {}
    skus: dict[str, str] = {}
    secrets: Annotated[dict[str, str], Field(max_length=10)] = {}


class NewPack(_Body):
    """A pack's file, in YAML."""

    text: Annotated[str, Field(min_length=1, max_length=512 * 1024)]
    reason: Reason


class Trial(_Body):
    """A pack's file to try; without it the one that the channel has."""

    text: Annotated[str | None, Field(max_length=512 * 1024)] = None


class ChannelShown(BaseModel):
    """A channel as it is in force; of secrets only how many live, by name."""

    channel: str
    pack: str
    state: str = "draft"
    pack_version: int | None = None
    settings: dict[str, str] = {}
    skus: dict[str, str] = {}
    secrets: dict[str, int] = {}


class ChannelList(BaseModel):
    items: list[ChannelShown]


class PackTaken(BaseModel):
    """The pack that is in force from now on."""

    pack: str
    version: int
    samples: int


class Tried(BaseModel):
    """How the samples of a pack came out."""

    pack: str
    samples: int
    failures: list[str]


class RetryQuery(PageQuery):
    """Which of the parked pushes, the oldest first."""

    limit: Annotated[int, Field(ge=1, le=PAGE_ROWS_MAX)] = PAGE_ROWS_MAX


class Retried(BaseModel):
    """How many parked pushes this request took up, and how many of them went through now."""

    parked: int
    sent: int
    next_cursor: str | None = Field(description="Null once all were taken up, else the `cursor`")


@router.get("/channels")
async def get_channels(key: Admin, held: Held) -> ChannelList:
    """All channels that are configured."""
    rows = await held.database.write(channels.listed)
    return ChannelList(items=[ChannelShown.model_validate(row) for row in rows])


@router.get("/channels/{channel}")
async def get_channel(channel: Channel, key: Admin, held: Held) -> ChannelShown:
    """One channel."""
    rows = await held.database.write(channels.listed)
    found = [row for row in rows if row["channel"] == channel]
    if not found:
        raise Problem("not-found")
    return ChannelShown.model_validate(found[0])


@router.put("/channels/{channel}", openapi_extra=requests.schema_of(NewChannel))
async def put_channel(request: Request, channel: Channel, key: Admin, held: Held) -> ChannelShown:
    """Configure a channel; it is live within a second, without a restart."""
    body = await requests.read(request, held, NewChannel)
    document = body.model_dump(exclude={"reason", "secrets"}, exclude_none=True)
    pack = await _pack(held, document)
    unknown = sorted(set(body.secrets) - set(pack.secrets))
    if unknown:
        raise Problem("invalid", [Fault("secrets", f"the pack has no secret '{unknown[0]}'")])

    async def work(connection: Any) -> None:
        async with connection.transaction():
            for secret in body.secrets.items():
                await channels.put_secret(connection, held.vault, channel, secret)
            draft = Draft(documents.KIND, channel, document, body.reason)
            await configs.publish(connection, held.vault, draft)

    await held.database.write(work)
    return await get_channel(channel, key, held)


@router.put("/channel-packs/{pack}", openapi_extra=requests.schema_of(NewPack))
async def put_pack(request: Request, pack: PackName, key: Admin, held: Held) -> PackTaken:
    """Upload a pack. It is refused with the sample and the field if one of its samples fails."""
    body = await requests.read(request, held, NewPack)
    try:
        read = checked.pack(body.text)
    except BadDocument as bad:
        raise Problem("invalid", [Fault(bad.field, bad.reason)]) from None
    if read.pack != pack:
        raise Problem("invalid", [Fault("$.pack", f"the file is of the pack '{read.pack}'")])
    document = msgspec.to_builtins(documents.PackFile(pack, read.version, body.text))

    async def work(connection: Any) -> None:
        async with connection.transaction():
            draft = Draft(documents.PACK_KIND, pack, document, body.reason)
            await configs.publish(connection, held.vault, draft)

    await held.database.write(work)
    return PackTaken(pack=pack, version=read.version, samples=len(read.samples))


@router.post("/channels/{channel}/test", openapi_extra=requests.schema_of(Trial))
async def post_test(request: Request, channel: Channel, key: Admin, held: Held) -> Tried:
    """Run the samples of a pack, that of the channel or another; changes nothing."""
    body = await requests.read(request, held, Trial)
    if body.text is None:
        known = await held.channels.find(channel)
        if known is None or known.pack is None:
            raise Problem("not-found")
        pack = known.pack
    else:
        try:
            pack = checked.read(body.text)
        except BadDocument as bad:
            raise Problem("invalid", [Fault(bad.field, bad.reason)]) from None
    failures = [str(failure) for failure in checked.failures(pack)]
    return Tried(pack=pack.pack, samples=len(pack.samples), failures=failures)


@router.post("/channels/{channel}/retry")
async def post_retry(
    channel: Channel, key: Admin, held: Held, wanted: Annotated[RetryQuery, Query()]
) -> Retried:
    """Take up again what was parked of the channel's pushes, by its pack as it is now.

    A page at a time: what stays parked does not stand before the rest.
    """
    known = await held.channels.find(channel)
    if known is None or known.pack is None:
        raise Problem("not-found")
    pager = Pager(held.signer, f"parked pushes {channel}", tuple[datetime, bytes])
    page = pager.page(wanted)
    rows = await held.database.write(lambda c: channels.parked(c, channel, page))
    shown, next_cursor = pager.cut(rows, page, ("received_at", "dead_letter_id"))
    sent = await pushes.retry(held, known, [row["dead_letter_id"] for row in shown])
    return Retried(parked=len(shown), sent=sent, next_cursor=next_cursor)


async def _pack(held: Resources, document: dict[str, Any]) -> Pack:
    """The pack that a channel's document names, whose settings it has."""
    try:
        channel = documents.read(document)
        file = await held.database.write(
            lambda connection: channels.find_pack(connection, channel.pack, channel.pack_version)
        )
        return checked.for_channel(channel, file)
    except BadDocument as bad:
        raise Problem("invalid", [Fault(bad.field, bad.reason)]) from None
