"""A platform's own signed pushes, answered as the platform wants it once Kafka has them."""

from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request
from starlette.responses import Response

from hub.channels import codec
from hub.channels.codec import Opened
from hub.channels.requests import PushRefused, Reply
from hub.channels.requests import Request as Push
from hub.domain.channels import TAKING
from hub_api import pushes, questions
from hub_api.bodies import read_body
from hub_api.channels import Known
from hub_api.limits import CHANNEL_OFF_RETRY_AFTER_S
from hub_api.problems import Problem
from hub_api.resources import Held, Resources
from hub_api.routes.events import Channel

router = APIRouter(prefix="/v1/channels/{channel}/webhooks/{shop}", tags=["webhooks"])
Shop = Annotated[str, Path(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
REFUSED = frozenset(
    {
        "signature_wrong",
        "signature_missing",
        "secret_missing",
        "timestamp_old",
        "timestamp_missing",
        "not_encrypted",
        "decryption_failed",
        "shop_foreign",
    }
)
"""What says that the push is not the platform's, or not meant for this address."""
ANSWER: dict[int | str, dict[str, Any]] = {
    200: {"description": "What the platform wants to hear, to the byte"}
}


@router.post("", responses=ANSWER)
async def post_webhook(request: Request, channel: Channel, shop: Shop, held: Held) -> Response:
    """Take a platform's push, verified on its bytes as they came. No key: the signature is it.

    Answered once Kafka has all of it; after any other answer the platform sends it again, and what
    is in already counts once. What the channel's pack has no place for is parked, not lost.
    """
    return await _take(request, channel, shop, held)


@router.get("", responses=ANSWER)
async def get_webhook(request: Request, channel: Channel, shop: Shop, held: Held) -> Response:
    """Answer a platform that tries the address before it pushes to it."""
    return await _take(request, channel, shop, held)


async def _take(request: Request, channel: str, shop: str, held: Resources) -> Response:
    known = await _known(held, channel)
    assert known.pack is not None
    async with held.gate.place():
        body = await read_body(request)
        push = Push(
            request.method,
            dict(request.headers),
            dict(request.query_params),
            body,
            shop,
            datetime.now(UTC),
        )
        try:
            opened = codec.open_push(known.pack, known.given, push)
        except PushRefused as refused:
            held.figures.refused.labels(refused.code).inc()
            raise _problem(refused) from None
        return _answer(await _taken(held, known, opened))


async def _taken(held: Resources, known: Known, opened: Opened) -> Reply:
    """The answer to a push that is the platform's, once it is taken or what it asks was read."""
    assert known.pack is not None
    try:
        question = codec.question_of(known.pack, opened)
        if question is not None:
            return await questions.answer(held, known, *question)
        await pushes.take(held, known, opened.messages)
        return codec.reply_to(known.pack, opened)
    except PushRefused as refused:
        raise _problem(refused) from None


async def _known(held: Resources, channel: str) -> Known:
    known = await held.channels.find(channel)
    if known is None or known.state == "draft":
        raise Problem("not-found")
    if known.state not in TAKING or known.pack is None:
        headers = {"Retry-After": str(CHANNEL_OFF_RETRY_AFTER_S)}
        raise Problem("channel-off", headers=headers)
    return known


def _problem(refused: PushRefused) -> Problem:
    reason, cause = refused.reason, refused.code
    if refused.code in REFUSED:
        return Problem("webhook-refused", reason=reason, cause=cause)
    return Problem("webhook-unreadable", reason=reason, cause=cause)


def _answer(reply: Reply) -> Response:
    return Response(reply.body, reply.status, {"Content-Type": reply.content_type})
