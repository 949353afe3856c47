"""What rules are made of, for who builds one: events and their fields, actions, receivers,
templates, and real events to look at. Personal values are masked."""

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from msgspec import to_builtins
from pydantic import BaseModel, Field
from starlette.responses import Response

from hub.domain import payloads
from hub.domain.segments import SEGMENTS
from hub.rules import checking, drafts, fields, outline, personal
from hub.store import rules
from hub_api import requests
from hub_api.paging import respond
from hub_api.problems import Fault, Problem
from hub_api.resources import Held
from hub_api.routes.rules import Reader

router = APIRouter(prefix="/v1/rule-parts", tags=["rules"])
SAMPLES_MAX = 20
SAMPLE_DAYS = 30
EventType = Annotated[str, Query(max_length=64)]


class ActionPart(BaseModel):
    """needs_to: whether `to` is needed. accepts: other targets it understands; null: any."""

    do: str
    needs_to: bool
    needs: list[str]
    accepts: list[str] | None


class RuleParts(BaseModel):
    """receivers: channels that listen to what rules deliver. templates: name -> YAML."""

    events: list[str]
    actions: list[ActionPart]
    segments: list[str]
    receivers: list[str]
    templates: dict[str, str]


class FieldPart(BaseModel):
    """kind: text, decimal (a number as text), integer, boolean, time or list."""

    path: str
    kind: str
    is_personal: bool


class Sample(BaseModel):
    """A real event as rules read it."""

    event_id: str
    channel: str
    received_at: datetime
    fact: dict[str, Any]


class RuleSamples(BaseModel):
    """The fields that events of a type may have, and the newest of those received."""

    fields: list[FieldPart]
    samples: list[Sample] = Field(description="at most 20, the newest first")


@router.get("", response_model=RuleParts)
async def rule_parts(request: Request, key: Reader, held: Held) -> Response:
    """Everything that a rule can be made of."""
    actions = [
        ActionPart(
            do=name,
            needs_to=needs_to,
            needs=list(needs),
            accepts=list(checking.ACCEPTS[name]) if name in checking.ACCEPTS else None,
        )
        for name, (needs_to, needs) in checking.NEEDS.items()
        if name not in checking.UNAVAILABLE
    ]
    parts = RuleParts(
        events=sorted({*payloads.BY_TYPE, *fields.TOLD}),
        actions=actions,
        segments=list(SEGMENTS),
        receivers=await held.database.write(rules.receivers),
        templates=dict(sorted(drafts.templates().items())),
    )
    return respond(request, parts)


@router.get("/samples", response_model=RuleSamples)
async def rule_samples(
    request: Request,
    event_type: EventType,
    key: Reader,
    held: Held,
    since: Annotated[requests.Moment | None, Query()] = None,
) -> Response:
    """What events of a type look like: their fields, and real ones received since a time (30 days
    ago)."""
    if not fields.is_known(event_type):
        raise Problem("invalid", [Fault("event_type", "there is no such event")])
    now = datetime.now(UTC)
    from_then = since or now - timedelta(days=SAMPLE_DAYS)
    span = rules.Span([event_type], from_then, now, None, SAMPLES_MAX)
    found = await held.database.write(lambda c: rules.newest_facts(c, held.vault, span))
    samples = [
        Sample(
            event_id=fact.id,
            channel=fact.channel,
            received_at=received_at,
            fact=personal.masked_fact(fact),
        )
        for received_at, fact in found
    ]
    parts = [FieldPart.model_validate(to_builtins(one)) for one in outline.outline(event_type)]
    return respond(request, RuleSamples(fields=parts, samples=samples))
