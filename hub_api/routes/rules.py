"""Sync rules: check, publish, pause and roll back, and the versions there are.

Trying them on events: `hub_api.routes.rule_trials`; what they did: `hub_api.routes.rule_runs`.
"""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Path, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from hub.domain import ids
from hub.domain.rule_versions import Status
from hub.rules import checking, text
from hub.rules.problems import RuleInvalid
from hub.store import rule_schedules, rules
from hub.store.commands import Answer, Asked
from hub.store.keys import ApiKey
from hub.store.rules import RuleUnknown, Word
from hub_api import commands, requests
from hub_api.commands import IdempotencyKey
from hub_api.paging import respond
from hub_api.problems import Fault, Problem
from hub_api.resources import Held, Resources
from hub_api.routes.cases import OfTheHouse, Reason

router = APIRouter(prefix="/v1/rules", tags=["rules"])
Reader = Annotated[ApiKey, Depends(OfTheHouse("rules:read"))]
Writer = Annotated[ApiKey, Depends(OfTheHouse("rules:write"))]
Name = Annotated[str, Path(pattern="^[a-z0-9][a-z0-9-]{0,63}$")]
_STATUS: dict[str, Status] = {"pause": "paused", "resume": "published", "archive": "archived"}


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)


class RuleText(_Body):
    """A rule: the document itself, or its text in YAML or JSON."""

    rule: dict[str, Any] | str = Field(description="see hub/rules/rule.schema.json")

    def written(self) -> str:
        return self.rule if isinstance(self.rule, str) else text.write(self.rule)


class Publishing(RuleText):
    """A rule to publish, and why."""

    reason: Reason


class Why(_Body):
    """Why."""

    reason: Reason


class RollingBack(Why):
    """Which version to go back to, and why."""

    version: Annotated[int, Field(ge=1)]


class CheckedRule(BaseModel):
    """A rule that is right."""

    rule: str


class PublishedRule(BaseModel):
    """What came of it; approval_id: the approval it waits for. findings: what else to look at."""

    rule: str
    approval_id: str | None = None
    findings: list[str] = []


class RuleVersion(BaseModel):
    """One version of a rule: who published it, when and why."""

    rule: str
    version: int
    status: Literal["published", "paused", "archived"]
    by: str
    reason: str
    published_at: datetime
    document: dict[str, Any]


class RuleVersions(BaseModel):
    """Versions of rules."""

    rules: list[RuleVersion]


@router.get("", response_model=RuleVersions)
async def list_rules(request: Request, key: Reader, held: Held) -> Response:
    """The newest version of each rule."""

    async def read(reader: Any) -> RuleVersions:
        newest = {one.name: one for one in await rules.versions(reader)}
        return RuleVersions(rules=[_version(one) for one in newest.values()])

    return respond(request, await held.database.read(read))


@router.get("/{name}", response_model=RuleVersions)
async def get_rule(request: Request, name: Name, key: Reader, held: Held) -> Response:
    """All versions of a rule, the oldest first."""

    async def read(reader: Any) -> RuleVersions:
        found = await rules.versions(reader, name)
        if not found:
            raise Problem("not-found")
        return RuleVersions(rules=[_version(one) for one in found])

    return respond(request, await held.database.read(read))


@router.post("/check", openapi_extra=requests.schema_of(RuleText))
async def check_rule(request: Request, key: Reader, held: Held) -> CheckedRule:
    """Say what is wrong with a rule: 422 names each place, reason and what to do."""
    wanted = await requests.read(request, held, RuleText)
    allowed = held.settings.rule_address_list
    try:
        return CheckedRule(rule=checking.check(wanted.written(), allowed).rule.rule)
    except RuleInvalid as invalid:
        raise wrong(invalid) from None


@router.post("", openapi_extra=requests.schema_of(Publishing))
async def publish_rule(
    request: Request, key: Writer, held: Held, idempotency_key: IdempotencyKey
) -> PublishedRule:
    """Publish a rule: it counts for every event from now on, or waits for a second person."""
    wanted = await requests.read(request, held, Publishing)
    written = wanted.written()

    async def work(connection: Any) -> Answer:
        word = _word(held, key, wanted.reason)
        outcome = await rules.publish(connection, held.vault, written, word)
        waits = outcome.approval_id
        return {
            "rule": checking.check(written, word.allowed).rule.rule,
            "approval_id": ids.text(waits) if waits is not None else None,
            "findings": [finding.en for finding in outcome.findings],
        }

    return await _run(held, commands.asked(request, key, idempotency_key, wanted), work)


@router.post("/{name}/rollback", openapi_extra=requests.schema_of(RollingBack))
async def roll_back_rule(
    request: Request, name: Name, key: Writer, held: Held, idempotency_key: IdempotencyKey
) -> PublishedRule:
    """Publish what an earlier version said, as a new version."""
    wanted = await requests.read(request, held, RollingBack)

    async def work(connection: Any) -> Answer:
        word = _word(held, key, wanted.reason)
        await rules.roll_back(connection, held.vault, name, wanted.version, word)
        return {"rule": name}

    return await _run(held, commands.asked(request, key, idempotency_key, wanted), work)


@router.post("/{name}/pause", openapi_extra=requests.schema_of(Why))
async def pause_rule(
    request: Request, name: Name, key: Writer, held: Held, idempotency_key: IdempotencyKey
) -> PublishedRule:
    """Stop a rule for every event from now on."""
    return await _set_status(request, name, (key, held), idempotency_key)


@router.post("/{name}/resume", openapi_extra=requests.schema_of(Why))
async def resume_rule(
    request: Request, name: Name, key: Writer, held: Held, idempotency_key: IdempotencyKey
) -> PublishedRule:
    """Let a paused rule run again."""
    return await _set_status(request, name, (key, held), idempotency_key)


@router.post("/{name}/start", openapi_extra=requests.schema_of(Why))
async def start_rule(
    request: Request, name: Name, key: Writer, held: Held, idempotency_key: IdempotencyKey
) -> PublishedRule:
    """Run a rule with a schedule over its segment at once; its members are told one by one."""
    wanted = await requests.read(request, held, Why)

    async def work(connection: Any) -> Answer:
        await rules.history(connection, name)
        await rule_schedules.ask(connection, name, key.key_prefix)
        return {"rule": name}

    return await _run(held, commands.asked(request, key, idempotency_key, wanted), work)


@router.post("/{name}/archive", openapi_extra=requests.schema_of(Why))
async def archive_rule(
    request: Request, name: Name, key: Writer, held: Held, idempotency_key: IdempotencyKey
) -> PublishedRule:
    """Put a rule away; its versions stay."""
    return await _set_status(request, name, (key, held), idempotency_key)


async def _set_status(
    request: Request, name: str, who: tuple[ApiKey, Resources], idempotency_key: str
) -> PublishedRule:
    key, held = who
    wanted = await requests.read(request, held, Why)
    status = _STATUS[request.url.path.rpartition("/")[2]]

    async def work(connection: Any) -> Answer:
        word = _word(held, key, wanted.reason)
        await rules.set_status(connection, held.vault, name, status, word)
        return {"rule": name}

    return await _run(held, commands.asked(request, key, idempotency_key, wanted), work)


def _word(held: Resources, key: ApiKey, reason: str) -> Word:
    return Word(key.key_prefix, reason, held.settings.rule_address_list)


def _version(one: rules.Published) -> RuleVersion:
    return RuleVersion(
        rule=one.name,
        version=one.number,
        status=one.status,
        by=one.by,
        reason=one.reason,
        published_at=one.published_at,
        document=one.rule,
    )


def wrong(invalid: RuleInvalid) -> Problem:
    """A 422 that names each mistake with its place."""
    faults = [
        Fault(one.path, f"line {one.line}, column {one.column}: {one.en} / {one.zh}")
        for one in invalid.problems
    ]
    return Problem("invalid", faults)


async def _run(
    held: Resources, asked: Asked, work: Callable[[Any], Awaitable[Answer]]
) -> PublishedRule:
    async def done(connection: Any) -> Answer:
        try:
            return await work(connection)
        except RuleInvalid as invalid:
            raise wrong(invalid) from None
        except RuleUnknown:
            raise Problem("not-found") from None

    return PublishedRule.model_validate(await commands.run(held, asked, done))
