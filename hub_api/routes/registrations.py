"""A person becomes known: an account of a channel, with what it says of the person."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field

from hub.domain import ids
from hub.store import member_commands
from hub.store.commands import Answer
from hub_api import commands, requests
from hub_api.commands import IdempotencyKey
from hub_api.coupon_calls import counter_of
from hub_api.coupon_requests import Asking, Name, Personal
from hub_api.resources import Held
from hub_api.routes.member_commands import MemberWriter

router = APIRouter(prefix="/v1/members", tags=["members"])
IDENTIFIERS_MAX = 20
ATTRIBUTES_MAX = 50
Text = Annotated[str, Field(max_length=256)]


class NewIdentifier(BaseModel):
    """An identifier of the person. `verified`: the channel saw the proof, such as a code by SMS."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    type: Literal["phone", "email", "openid", "unionid", "crm_id", "card"]
    value: Personal
    proof: Literal["verified", "declared"] = "declared"
    app: Annotated[Name | None, Field(description="Which app an openid is of")] = None
    platform: Annotated[Name | None, Field(description="Which open platform a unionid is of")] = (
        None
    )


class NewMember(Asking):
    """An account, as the channel calls it, and what it says of the person."""

    account: Name
    identifiers: Annotated[
        list[NewIdentifier], Field(max_length=IDENTIFIERS_MAX, default_factory=list)
    ]
    name: Personal | None = None
    gender: Personal | None = None
    birthday: Personal | None = None
    attributes: Annotated[dict[Name, Text], Field(max_length=ATTRIBUTES_MAX, default_factory=dict)]


class Registered(BaseModel):
    """The account's profile and the member it belongs to: one that was known, if an identifier
    that was proved joins them."""

    member_id: str
    profile_id: str
    status: Literal["registered", "updated"]


@router.post("", status_code=201, openapi_extra=requests.schema_of(NewMember))
async def register(
    request: Request, key: MemberWriter, held: Held, idempotency_key: IdempotencyKey
) -> Registered:
    """Register an account at once, or add to what a known one says. The channel's own
    `member.registered` of the same account, before or after, adds to it as well."""
    wanted = await requests.read(request, held, NewMember)
    counter = counter_of(key, wanted)
    asked = commands.asked(request, key, idempotency_key, wanted)
    data = wanted.model_dump(exclude={"channel", "shop"}, exclude_none=True)

    async def work(connection: Any) -> Answer:
        place = (counter.channel, counter.shop)
        profile, member, is_new = await member_commands.register(
            connection, held.vault, place, data
        )
        return {
            "member_id": ids.text(member),
            "profile_id": ids.text(profile),
            "status": "registered" if is_new else "updated",
        }

    return Registered.model_validate(await commands.run(held, asked, work))
