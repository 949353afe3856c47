"""Find anything: one text, whatever it names. In the body, since a URL may be logged on its way."""

import unicodedata
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, ConfigDict, Field

from hub.domain import ids
from hub.store.keys import ApiKey
from hub.store.reads.search import Search
from hub_api import requests
from hub_api.amounts import id_text
from hub_api.keyring import bearer, caller
from hub_api.problems import Problem
from hub_api.resources import Held

router = APIRouter(prefix="/v1/search", tags=["search"])
TEXT_LENGTH_MAX = 256


class Sought(BaseModel):
    """A phone or e-mail, card, account, order number, coupon code, SKU, or an id of a member,
    an order or an event, in whatever spelling."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    text: Annotated[str, Field(min_length=1, max_length=TEXT_LENGTH_MAX, pattern=r"^[^\x00]*$")]


class Hit(BaseModel):
    """An object that the text names. Of an event: the object it is about, in `object_kind` and
    `object_id`."""

    kind: Literal["member", "order", "coupon", "item", "event"]
    id: str = Field(description="A coupon's is its code, an item's its SKU")
    title: str | None = Field(description="Its number, code or name; null for members")
    state: str | None
    channel: str | None = None
    shop: str | None = None
    by: Annotated[
        str | None, Field(description="By what a member was found: phone, account, …")
    ] = None
    is_verified: Annotated[bool | None, Field(description="The member proved to hold it")] = None
    object_kind: str | None = None
    object_id: str | None = None


class Hits(BaseModel):
    """At most 20 of each kind that the caller may read."""

    items: list[Hit]


async def _of_the_house(request: Request, _bearer: Annotated[object, Depends(bearer)]) -> ApiKey:
    key = await caller(request)
    request.state.key_prefix = key.key_prefix
    if key.channel is not None:
        raise Problem("foreign-channel")
    return key


@router.post("", openapi_extra=requests.schema_of(Sought))
async def search(
    request: Request, key: Annotated[ApiKey, Depends(_of_the_house)], held: Held
) -> Hits:
    """What the text names, over all channels: of those nouns that the caller may read. An empty
    list is an answer; who finds nothing too often has to wait."""
    held.keyring.refuse_guessing(key, "coupon")
    wanted = await requests.read(request, held, Sought)
    text = unicodedata.normalize("NFKC", wanted.text).strip()

    async def read(connection: Any) -> list[Hit]:
        return await _hits(Search(connection, held.vault, text), key)

    found = await held.database.read(read) if text else []
    if not found:
        held.keyring.miss(key, "coupon")
    return Hits(items=found)


async def _hits(sought: Search, key: ApiKey) -> list[Hit]:
    shops = await sought.shops()
    hits: list[Hit] = []
    if key.allows("members:read"):
        hits += [
            Hit(
                kind="member",
                id=ids.text(row["member_id"]),
                title=None,
                state=None,
                by=row["by"],
                is_verified=row["is_verified"],
            )
            for row in await sought.members(shops)
        ]
    if key.allows("orders:read"):
        hits += [
            Hit(
                kind="order",
                id=ids.text(row["order_id"]),
                title=row["order_number"],
                state=row["status"],
                channel=row["channel"],
                shop=row["shop"],
            )
            for row in await sought.orders(shops)
        ]
    if key.allows("coupons:read"):
        hits += [
            Hit(kind="coupon", id=row["code"], title=row["code"], state=row["status"])
            for row in await sought.coupons()
        ]
    if key.allows("stock:read"):
        hits += [
            Hit(kind="item", id=row["sku"], title=row["name"], state=None)
            for row in await sought.items()
        ]
    if key.allows("orders:read") and key.allows("members:read"):
        hits += [_event(row) for row in await sought.events(shops)]
    return hits


def _event(row: dict[str, Any]) -> Hit:
    parts = row["source"].split("/")
    is_shops = row["source"].startswith("/channels/")
    return Hit(
        kind="event",
        id=row["event_id"],
        title=row["type"],
        state=row["outcome"],
        channel=parts[2] if is_shops else "hub",
        shop=parts[4] if is_shops else None,
        object_kind=row["entity_kind"],
        object_id=id_text(row["member_id"]) or ids.text(row["entity_key"]),
    )
