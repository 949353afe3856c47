"""Stock kept for channels and live sessions: split it, and split it anew."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, ConfigDict, Field

from hub.domain import money
from hub.store import allotments
from hub.store.commands import Answer
from hub.store.keys import ApiKey
from hub_api import commands, requests
from hub_api.commands import IdempotencyKey
from hub_api.keyring import Needs
from hub_api.problems import Fault, Problem
from hub_api.resources import Held
from hub_api.routes.reservations import Name

router = APIRouter(prefix="/v1/allotments", tags=["stock"])
Splitter = Annotated[ApiKey, Depends(Needs("allotments:write"))]
ITEMS_MAX = 200


class Wanted(BaseModel):
    """What to keep of an item at a place, for whom; `buffer` comes on top of it."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    channel: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,63}$")]
    sku: Name
    place: Name
    quantity: Annotated[str, Field(min_length=1, max_length=24, examples=["30"])]
    session: Name | None = None
    buffer: Annotated[str, Field(min_length=1, max_length=24)] = "0"


class Split(BaseModel):
    """Allotments that are set together."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    items: Annotated[list[Wanted], Field(min_length=1, max_length=ITEMS_MAX)]


class Done(BaseModel):
    """How many were set."""

    allotments: int


@router.post("", status_code=201, openapi_extra=requests.schema_of(Split))
async def split(
    request: Request, key: Splitter, held: Held, idempotency_key: IdempotencyKey
) -> Done:
    """Keep stock for channels and live sessions, all of the list or nothing.

    409 with the item that is short, if more would be kept than is available.
    """
    if key.channel is not None:
        raise Problem("foreign-channel")
    wanted = await requests.read(request, held, Split)
    for index, item in enumerate(wanted.items):
        for field in ("quantity", "buffer"):
            _refuse_bad(index, field, getattr(item, field))
    asked = commands.asked(request, key, idempotency_key, wanted)

    async def work(connection: Any) -> Answer:
        listed = [item.model_dump(exclude_none=True) for item in wanted.items]
        await allotments.set_all(connection, held.vault, listed)
        return {"allotments": len(listed)}

    return Done.model_validate(await commands.run(held, asked, work))


def _refuse_bad(index: int, field: str, value: str) -> None:
    named = f"items[{index}].{field}"
    try:
        milli = money.milli(value)
    except money.BadNumber as bad:
        raise Problem("invalid", [Fault(named, str(bad))]) from None
    if milli < 0:
        raise Problem("invalid", [Fault(named, f"'{value}' is below 0")])
