"""Sync rules: trying one on real events, comparing, and moving documents in and out. Does nothing
but tell, except `apply`. Personal values are masked."""

import difflib
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Request
from pydantic import AwareDatetime, BaseModel, Field
from starlette.responses import PlainTextResponse, Response

from hub.rules import apart, checking, document, text
from hub.rules.problems import RuleInvalid
from hub.store import rules
from hub.store.commands import Answer
from hub.store.rules import Published, RuleUnknown, Span, Word
from hub_api import commands, requests
from hub_api.commands import IdempotencyKey
from hub_api.problems import Fault, Problem
from hub_api.resources import Held, Resources
from hub_api.routes.cases import Reason
from hub_api.routes.rules import Name, Reader, RuleText, Writer, _Body, wrong

router = APIRouter(prefix="/v1/rules", tags=["rules"])
RULES_AT_ONCE_MAX = 200
Document = dict[str, Any] | str


class Draft(_Body):
    """A rule to try: the document or its text; without it the version that is live."""

    rule: Document | None = Field(default=None, description="see hub/rules/rule.schema.json")


class Testing(Draft):
    """On which real event, received from `since` (a day ago) until `until` (now)."""

    event_id: Annotated[str, Field(min_length=1, max_length=128)]
    since: AwareDatetime | None = None
    until: AwareDatetime | None = None


class DryRunning(Draft):
    """On all events received from `since` (a day ago) until `until` (now); at most 5,000."""

    since: AwareDatetime | None = None
    until: AwareDatetime | None = None


class Applying(_Body):
    """Rules to publish where they differ from those that run: all of them, or none."""

    rules: Annotated[list[RuleText], Field(min_length=1, max_length=RULES_AT_ONCE_MAX)]
    reason: Reason


class TestedOn(BaseModel):
    """What the rule made of one event: no run if it is not concerned."""

    fact: dict[str, Any]
    runs: list[dict[str, Any]]


class Tested(BaseModel):
    """Each step with what went in and what came out."""

    tests: list[TestedOn]


class DryRun(BaseModel):
    """created: only the draft would do; changed: both, but otherwise; same: both; dropped: only the
    live version does; skipped, failed: events. At most 20 samples of changes and failures."""

    facts: int
    created: int
    changed: int
    same: int
    dropped: int
    skipped: int
    failed: int
    changes: list[dict[str, Any]]
    failures: list[dict[str, Any]]


class Diff(BaseModel):
    """A unified diff against the newest version; no lines if nothing differs."""

    lines: list[str]


class Applied(BaseModel):
    """The names of the rules that were published, of how many."""

    published: list[str]
    of: int
    approval_ids: list[str] = []


@router.post("/{name}/test", openapi_extra=requests.schema_of(Testing))
async def try_rule(request: Request, name: Name, key: Reader, held: Held) -> Tested:
    """Run a rule on one real event and show each step."""
    wanted = await requests.read(request, held, Testing)
    asked = await _asked(held, name, wanted, (wanted.since, wanted.until), wanted.event_id)
    asked.is_test = True
    if not asked.facts:
        raise Problem("not-found")
    return Tested.model_validate(await held.trials.run(asked))


@router.post("/{name}/dry-run", openapi_extra=requests.schema_of(DryRunning))
async def dry_run_rule(request: Request, name: Name, key: Reader, held: Held) -> DryRun:
    """Run a rule over the real events of a time, beside the version that is live."""
    wanted = await requests.read(request, held, DryRunning)
    asked = await _asked(held, name, wanted, (wanted.since, wanted.until), None)
    return DryRun.model_validate(await held.trials.run(asked))


@router.post("/{name}/diff", openapi_extra=requests.schema_of(RuleText))
async def diff_rule(request: Request, name: Name, key: Reader, held: Held) -> Diff:
    """Compare a document with the newest version, line by line."""
    wanted = await requests.read(request, held, RuleText)
    newest = (await _versions(held, name))[-1]
    before, after = newest.written, _written(_checked(held, name, wanted.rule))
    names = (f"version {newest.number}", "draft")
    both = before.splitlines(), after.splitlines()
    return Diff(lines=list(difflib.unified_diff(*both, *names, lineterm="")))


@router.get("/{name}/export", response_class=PlainTextResponse)
async def export_rule(name: Name, key: Reader, held: Held) -> Response:
    """The newest version as YAML, as files in git keep it."""
    newest = (await _versions(held, name))[-1]
    return PlainTextResponse(newest.written, media_type="application/yaml")


@router.post("/apply", openapi_extra=requests.schema_of(Applying))
async def apply_rules(
    request: Request, key: Writer, held: Held, idempotency_key: IdempotencyKey
) -> Applied:
    """Publish those of these rules that differ from what runs: all of them, or none."""
    wanted = await requests.read(request, held, Applying)
    by_name: dict[str, str] = {}
    for one in wanted.rules:
        by_name[_checked(held, None, one.rule).rule.rule] = one.written()

    async def work(connection: Any) -> Answer:
        live = {one.name: one for one in await rules.live(connection)}
        published, approvals = [], []
        for name, written in by_name.items():
            if name in live and _same(held, written, live[name]):
                continue
            word = Word(key.key_prefix, wanted.reason, held.settings.rule_address_list)
            outcome = await rules.publish(connection, held.vault, written, word)
            published.append(name)
            if outcome.approval_id is not None:
                approvals.append(outcome.approval_id.hex())
        return {"published": published, "of": len(by_name), "approval_ids": approvals}

    asked = commands.asked(request, key, idempotency_key, wanted)
    return Applied.model_validate(await commands.run(held, asked, work))


async def _asked(
    held: Resources,
    name: str,
    wanted: Draft,
    time: tuple[datetime | None, datetime | None],
    event_id: str | None,
) -> apart.Wanted:
    """What the process apart has to try: the draft, the live version, and the facts."""
    known = [] if wanted.rule is not None else await _versions(held, name)
    written: Document = wanted.rule if wanted.rule is not None else known[-1].written
    draft = _checked(held, name, written)
    now = datetime.now(UTC)
    limit = apart.FACTS_MAX + 1
    span = Span(
        draft.rule.trigger.types,
        time[0] or now - timedelta(days=1),
        time[1] or now,
        event_id,
        limit,
        draft.rule,
    )

    async def read(connection: Any) -> tuple[list[Any], list[Published]]:
        live = [one for one in await rules.live(connection) if one.name == name]
        return await rules.facts(connection, held.vault, span), live

    found, live = await held.database.write(read)
    if len(found) > apart.FACTS_MAX:
        reason = f"more than {apart.FACTS_MAX} events: take less time, or `hub rule dry-run`"
        raise Problem("refused", reason=reason, cause="too_many_facts")
    return apart.Wanted(
        _written(draft),
        [fact for _, fact in found],
        live[0].written if live else None,
        list(held.settings.rule_address_list),
    )


async def _versions(held: Resources, name: str) -> list[Published]:
    try:
        return await held.database.read(lambda c: rules.history(c, name))
    except RuleUnknown:
        raise Problem("not-found") from None


def _checked(held: Resources, name: str | None, document: Document) -> checking.Checked:
    written = document if isinstance(document, str) else text.write(document)
    try:
        checked = checking.check(written, held.settings.rule_address_list)
    except RuleInvalid as invalid:
        raise wrong(invalid) from None
    if name is not None and checked.rule.rule != name:
        reason = f"the document is of rule '{checked.rule.rule}'"
        raise Problem("invalid", [Fault("rule.rule", reason)])
    return checked


def _written(checked: checking.Checked) -> str:
    return text.write(document.plain(checked.rule))


def _same(held: Resources, written: str, live: Published) -> bool:
    return _checked(held, None, written).rule == rules.document_of(live)
