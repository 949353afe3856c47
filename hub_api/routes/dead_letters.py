"""Dead letters: records that could not be taken, of any channel, and sending them again.

Nobody knows whose data a record is that could not be read, so they are for keys of no channel, and
their bytes for those that may see what is personal.
"""

import base64
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from hub.domain import ids, topics
from hub.store import dead_letters
from hub.store.dead_letters import UnknownDeadLetter
from hub.store.keys import ApiKey
from hub_api import reveals
from hub_api.kafka import KafkaAwayError, Record
from hub_api.keyring import OfTheHouse
from hub_api.limits import EVENT_BYTES_MAX, KAFKA_RETRY_AFTER_S
from hub_api.paging import PageOf, PageQuery, Pager, respond
from hub_api.problems import Problem
from hub_api.resources import Held, Resources
from hub_api.reveals import RevealAsked

router = APIRouter(prefix="/v1/dead-letters", tags=["dead letters"])
Reader = Annotated[ApiKey, Depends(OfTheHouse("dead_letters:read"))]
Writer = Annotated[ApiKey, Depends(OfTheHouse("dead_letters:write"))]
KEYSET = tuple[datetime, bytes]


class DeadLetterQuery(PageQuery):
    """Which dead letters."""

    state: Literal["open", "redriven", "dismissed"] = "open"


class Letter(BaseModel):
    """A record that could not be taken, and why."""

    model_config = ConfigDict(json_schema_extra={"title": "DeadLetterRecord"})

    dead_letter_id: str
    received_at: datetime
    topic: str
    partition: int
    kafka_offset: int
    source: str | None
    event_id: str | None
    type: str | None
    reason_code: str
    reason: str
    field: str | None
    state: str
    redriven_at: datetime | None
    redriven_by: str | None
    body_bytes: int | None = Field(description="Null once its person was erased")


class WholeLetter(Letter):
    """With its bytes, where they were asked for and the key may see them."""

    body: str | None = Field(None, description="As text, if it is any")
    body_base64: str | None = Field(None, description="Otherwise its bytes")


class Redriven(BaseModel):
    """What became of it."""

    dead_letter_id: str
    state: Literal["redriven"]


@router.get("", response_model=PageOf[Letter])
async def list_dead_letters(
    request: Request, key: Reader, held: Held, wanted: Annotated[DeadLetterQuery, Query()]
) -> Response:
    """Dead letters in a state, the oldest first, without their bytes."""
    pager = Pager(held.signer, f"dead letters {wanted.state}", KEYSET)
    page = pager.page(wanted)

    async def read(connection: Any) -> list[dict[str, Any]]:
        return await dead_letters.page(connection, wanted.state, page.limit, page.after)

    rows = await held.database.write(read)
    keyed = [row | {"key": ids.parse(row["dead_letter_id"])} for row in rows]
    shown, next_cursor = pager.cut(keyed, page, ("received_at", "key"))
    items = [Letter.model_validate(row) for row in shown]
    return respond(request, PageOf[Letter](items=items, next_cursor=next_cursor))


@router.get("/{dead_letter_id}", response_model=WholeLetter)
async def get_dead_letter(
    request: Request, dead_letter_id: UUID, key: Reader, held: Held, wanted: RevealAsked
) -> Response:
    """One dead letter; with `reveal`, its bytes as they came."""
    letter = await _letter(held, dead_letter_id)
    found = WholeLetter.model_validate(letter | {"body": None})
    if wanted.reveal:
        about = reveals.About(f"dead-letters/{dead_letter_id}", ["body"])
        await reveals.record(held, request, key, about)
        found.body, found.body_base64 = _text(letter["body"])
    return respond(request, found, is_personal=wanted.reveal)


@router.post("/{dead_letter_id}/redrive")
async def redrive(dead_letter_id: UUID, key: Writer, held: Held) -> Redriven:
    """Send it to its topic again, as it came. Sent twice, it counts once. 409 if that was done
    before, or if it is a push of a platform: these are taken up again by their channel."""
    letter = await _letter(held, dead_letter_id)
    _refuse(letter)

    async def send(
        topic: str, key: bytes | None, body: bytes | None, headers: list[tuple[str, bytes]]
    ) -> None:
        await held.sender.send([Record(topic, key, body, headers)])

    async def work(connection: Any) -> int:
        named = (held.vault, [dead_letter_id.bytes], send, key.key_prefix)
        return await dead_letters.redrive(connection, *named)

    try:
        await held.database.write(work)
    except KafkaAwayError as error:
        raise Problem("kafka-away", headers={"Retry-After": str(KAFKA_RETRY_AFTER_S)}) from error
    return Redriven(dead_letter_id=str(dead_letter_id), state="redriven")


async def _letter(held: Resources, letter_id: UUID) -> dict[str, Any]:
    try:
        return await held.database.write(
            lambda connection: dead_letters.show(connection, held.vault, letter_id.bytes)
        )
    except UnknownDeadLetter:
        raise Problem("not-found") from None


def _refuse(letter: dict[str, Any]) -> None:
    if letter["state"] != "open":
        raise Problem("refused", cause="not_open", reason=f"it is {letter['state']} already")
    if letter["topic"] == topics.INBOUND:
        reason = "mend the channel's pack, then POST /v1/channels/{channel}/retry"
        raise Problem("refused", cause="is_a_push", reason=reason)
    if len(letter["body"] or b"") > EVENT_BYTES_MAX:
        # A record of this size is no event of ours, whatever is mended.
        raise Problem("refused", cause="too_large", reason="it is larger than any event may be")


def _text(body: bytes | None) -> tuple[str | None, str | None]:
    """The bytes as text; as base64 where they are none."""
    try:
        return (body.decode() if body is not None else None), None
    except UnicodeDecodeError:
        return None, base64.b64encode(body or b"").decode()
