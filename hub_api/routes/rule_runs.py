"""Runs of sync rules: what was done about which event, step by step, and doing it again."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Query, Request
from pydantic import AwareDatetime, BaseModel, Field
from starlette.responses import Response

from hub.store import rule_retries, rule_runs, rule_views
from hub.store.commands import Answer
from hub.store.rule_book import RuleBook, RuleBroken
from hub.store.rule_retries import Again, Desk, RunUnknown
from hub.store.rules import RuleUnknown
from hub_api import commands, requests
from hub_api.commands import IdempotencyKey
from hub_api.paging import PageOf, PageQuery, Pager, respond
from hub_api.problems import Fault, Problem
from hub_api.resources import Held, Resources
from hub_api.routes.rules import Name, Reader, Writer, _Body

router = APIRouter(prefix="/v1/rules", tags=["rules"])
RunId = Annotated[int, Path(ge=1, le=2**63 - 1)]
State = Literal["done", "waiting", "failed", "dismissed"]
SUMMARY_DAYS = 30


class Place:
    """Which run of which rule."""

    def __init__(self, name: Name, run_id: RunId) -> None:
        self.name, self.run_id = name, run_id


Run = Annotated[Place, Depends(Place)]


class RunQuery(PageQuery):
    """Which runs: in a state, of a time, about an object (the id of an order, coupon, …)."""

    state: State | None = None
    since: requests.Moment | None = None
    until: requests.Moment | None = None
    object_id: UUID | None = None


class RetryingRun(_Body):
    """`current`: by the version that is live now, as a run of its own. `start_at`: from this action
    on. What was done is not done again."""

    version: Literal["same", "current"] = "same"
    start_at: Annotated[str, Field(max_length=64)] | None = None


class Replaying(_Body):
    """From when to when received."""

    since: AwareDatetime
    until: AwareDatetime


class Failure(BaseModel):
    """Why, and where in the rule."""

    path: str
    code: str
    reason: str


class RuleRun(BaseModel):
    """One version run on one event. `event_key`: as timelines name it; `hops`: how many effects of
    rules led to the event."""

    run_id: int
    rule: str
    version: int
    type: str
    event_key: str
    fact_key: str
    entity_kind: str
    entity_key: str
    sku: str | None
    place: str | None
    state: State
    effects: int
    hops: int
    failures: list[Failure] | None
    retried_by: str | None
    ran_at: datetime


class RunInSteps(BaseModel):
    """`fact`: what the rule read, null once the person was erased. `steps`: what went into each and
    came out. `effects`: what it had to do, and how that went. Personal values are masked."""

    run: RuleRun
    fact: dict[str, Any] | None
    steps: list[dict[str, Any]]
    effects: list[dict[str, Any]]


class RunAgain(BaseModel):
    """The run that it is now."""

    run_id: int


class Replayed(BaseModel):
    """On how many events the rule was run that it had not been run on."""

    runs: int


class VersionFigures(BaseModel):
    """What a version did, in events; failing and waiting: runs of the rule now."""

    rule: str
    version: int
    done: int
    skipped: int
    failed: int
    effects: int
    failing: int
    waiting: int
    last_hour: datetime


class RuleFigures(BaseModel):
    """Each version that ran."""

    since: datetime
    versions: list[VersionFigures]


@router.get("/{name}/figures", response_model=RuleFigures)
async def rule_figures(
    request: Request,
    name: Name,
    key: Reader,
    held: Held,
    since: Annotated[requests.Moment | None, Query()] = None,
) -> Response:
    """What each version of a rule did since a time (30 days ago)."""
    from_then = since or datetime.now(UTC) - timedelta(days=SUMMARY_DAYS)
    rows = await held.database.read(lambda c: rule_runs.summary(c, from_then, name))
    versions = [VersionFigures.model_validate(row) for row in rows]
    return respond(request, RuleFigures(since=from_then, versions=versions))


@router.get("/{name}/runs", response_model=PageOf[RuleRun])
async def list_runs(
    request: Request, name: Name, key: Reader, held: Held, wanted: Annotated[RunQuery, Query()]
) -> Response:
    """The runs of a rule that did something or failed, the newest first."""
    listing = f"rule runs {name} {wanted.state} {wanted.object_id} {wanted.since} {wanted.until}"
    pager = Pager(held.signer, listing, tuple[int])
    page = pager.page(wanted)
    (before,) = page.keyset(1)
    asked = {
        "before": before,
        "rule": name,
        "state": wanted.state,
        "entity_key": wanted.object_id.bytes if wanted.object_id else None,
        "since": wanted.since,
        "until": wanted.until,
    }
    rows = await held.database.write(lambda c: rule_runs.listed(c, asked, page.limit))
    shown, next_cursor = pager.cut(rows, page, ("run_id",))
    items = [_run(rule_views.shown(row)) for row in shown]
    return respond(request, PageOf[RuleRun](items=items, next_cursor=next_cursor))


@router.get("/{name}/runs/{run_id}", response_model=RunInSteps)
async def get_run(request: Request, run: Run, key: Reader, held: Held) -> Response:
    """One run, step by step."""
    book = RuleBook(held.settings.rule_address_list)
    found = await held.database.write(lambda c: rule_views.view(c, held.vault, book, run.run_id))
    if found is None or found.run["rule"] != run.name:
        raise Problem("not-found")
    shown = RunInSteps(
        run=_run(found.run), fact=found.fact, steps=found.steps, effects=found.effects
    )
    return respond(request, shown)


@router.post("/{name}/runs/{run_id}/retry", openapi_extra=requests.schema_of(RetryingRun))
async def retry_run(
    request: Request, run: Run, key: Writer, held: Held, idempotency_key: IdempotencyKey
) -> RunAgain:
    """Run a failed one again: from the start or an action, by its own version or the current."""
    wanted = await requests.read(request, held, RetryingRun)
    again = Again(key.key_prefix, wanted.version, wanted.start_at)

    async def work(connection: Any) -> Answer:
        await _refuse_foreign(connection, run)
        return {"run_id": await rule_retries.retry(_desk(held, connection), run.run_id, again)}

    asked = commands.asked(request, key, idempotency_key, wanted)
    return RunAgain.model_validate(await commands.run(held, asked, _in_words(work)))


@router.post("/{name}/runs/{run_id}/dismiss")
async def dismiss_run(
    request: Request, run: Run, key: Writer, held: Held, idempotency_key: IdempotencyKey
) -> RunAgain:
    """Leave a failed run as it is."""

    async def work(connection: Any) -> Answer:
        await _refuse_foreign(connection, run)
        await rule_retries.dismiss(connection, run.run_id, key.key_prefix)
        return {"run_id": run.run_id}

    asked = commands.asked(request, key, idempotency_key, None)
    return RunAgain.model_validate(await commands.run(held, asked, _in_words(work)))


@router.post("/{name}/replay", openapi_extra=requests.schema_of(Replaying))
async def replay_rule(
    request: Request, name: Name, key: Writer, held: Held, idempotency_key: IdempotencyKey
) -> Replayed:
    """Run the current version on events of the past that it was not run on; at most 10,000. An
    action that another version did about an event is not done again."""
    wanted = await requests.read(request, held, Replaying)
    if wanted.until <= wanted.since:
        raise Problem("invalid", [Fault("until", "it is not after `since`")])

    async def work(connection: Any) -> Answer:
        desk, time = _desk(held, connection), (wanted.since, wanted.until)
        return {"runs": await rule_retries.replay(desk, name, time, key.key_prefix)}

    asked = commands.asked(request, key, idempotency_key, wanted)
    return Replayed.model_validate(await commands.run(held, asked, _in_words(work)))


def _run(row: dict[str, Any]) -> RuleRun:
    return RuleRun.model_validate(row)


def _desk(held: Resources, connection: Any) -> Desk:
    return Desk(connection, held.vault, RuleBook(held.settings.rule_address_list))


def _in_words(work: Callable[[Any], Awaitable[Answer]]) -> Callable[[Any], Awaitable[Answer]]:
    async def done(connection: Any) -> Answer:
        try:
            return await work(connection)
        except (RunUnknown, RuleUnknown):
            raise Problem("not-found") from None
        except RuleBroken as broken:
            raise Problem("refused", reason=broken.what, cause="rule_broken") from None

    return done


async def _refuse_foreign(connection: Any, run: Place) -> None:
    row = await rule_runs.one(connection, run.run_id)
    if row is None or row["rule"] != run.name:
        raise RunUnknown
