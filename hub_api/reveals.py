"""Showing what is personal: only where it is asked for, to keys that may see it, and never without
a row of the audit, written before the answer leaves."""

from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Query, Request
from pydantic import BaseModel, ConfigDict, Field

from hub.domain import ids
from hub.domain.ids import Key
from hub.store import audit, personal
from hub.store.audit import Deed
from hub.store.keys import ApiKey
from hub.store.personal import Personal
from hub_api.problems import Problem
from hub_api.resources import Resources

SCOPE = "members:personal"
ACTION = "personal.revealed"


class Reveal(BaseModel):
    """Whether personal values are shown instead of a mask."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    reveal: Annotated[
        bool,
        Field(description=f"Show what is personal: needs the scope `{SCOPE}`, and is recorded"),
    ] = False


RevealAsked = Annotated[Reveal, Query()]


@dataclass(frozen=True, slots=True)
class About:
    """Of which object which fields are shown."""

    object: str
    fields: list[str]


async def record(held: Resources, request: Request, key: ApiKey, about: About) -> None:
    """Note that this key saw it; a problem if it may not."""
    deed = _deed(request, key, about)
    await held.database.write(lambda connection: audit.record(connection, deed))


async def of_profiles(
    held: Resources, request: Request, key: ApiKey, about: About, profiles: list[Key]
) -> dict[Key, Personal]:
    """What these profiles say of the person, noted. A problem if the key may not see it."""
    deed = _deed(request, key, about, profiles=[ids.text(one) for one in sorted(profiles)])

    async def read(connection: Any) -> dict[Key, Personal]:
        async with connection.transaction():
            found = await personal.of_profiles(connection, held.vault, profiles)
            await audit.record(connection, deed)
            return found

    return await held.database.write(read)


def _deed(request: Request, key: ApiKey, about: About, **detail: object) -> Deed:
    if not key.allows(SCOPE):
        raise Problem("scope-missing", scope=SCOPE)
    return Deed(
        f"key:{key.key_prefix}",
        ACTION,
        about.object,
        key.channel,
        request.state.request_id,
        {"fields": about.fields} | detail,
    )
