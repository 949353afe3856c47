"""`hub rule runs`, `run`, `retry`, `dismiss`, `replay`, `figures`: what rules did, and again."""

import getpass
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal

import msgspec
import typer

from hub import settings
from hub.cli.connected import with_hub
from hub.cli.screen import Json, errors_in_words, put_json, say
from hub.errors import SettingsError
from hub.store import db, rule_retries, rule_runs, rule_views
from hub.store.rule_book import RuleBook
from hub.store.rule_retries import Again, Desk
from hub.store.sealing import Vault

RUNS_SHOWN = 50
DAYS_SHOWN = 30
Name = Annotated[str, typer.Argument(help="The rule's name.")]
RunId = Annotated[int, typer.Argument(help="The run's number.")]
State = Literal["done", "waiting", "failed", "dismissed"]
Since = Annotated[datetime | None, typer.Option(help="From then (UTC).")]
Until = Annotated[datetime | None, typer.Option(help="Until then (UTC).")]


def runs(
    name: Annotated[str | None, typer.Argument(help="Of this rule only.")] = None,
    state: Annotated[State | None, typer.Option(help="In this state only.")] = None,
    since: Since = None,
    limit: Annotated[int, typer.Option(min=1, max=1_000, help="How many.")] = RUNS_SHOWN,
    as_json: Json = False,
) -> None:
    """Show what rules did or failed at, the newest first."""
    wanted = {"rule": name, "state": state, "since": _utc(since)}
    with errors_in_words(as_json):
        found = with_hub(lambda c: rule_runs.listed(c, wanted, limit), "writer")
    rows = [rule_views.shown(row) for row in found]
    if as_json:
        put_json({"runs": msgspec.to_builtins(rows)})
        return
    for row in rows:
        why = "; ".join(f"{one['path']} {one['reason']}" for one in row["failures"] or ())
        at = f"{row['ran_at']:%Y-%m-%d %H:%M:%S}"
        what = f"{row['rule']} v{row['version']} {row['type']} {row['event_key']}"
        say(f"{row['run_id']} {at} {row['state']} {what} {why}".rstrip())
    if not rows:
        say("no runs")


def run(run_id: RunId, as_json: Json = False) -> None:
    """Show one run step by step, personal values masked."""
    with errors_in_words(as_json):
        vault, book = _vault(), _book()
        found = with_hub(lambda c: rule_views.view(c, vault, book, run_id), "writer")
        if found is None:
            raise SettingsError(f"there is no run {run_id}", mend="hub rule runs lists them")
    if as_json:
        put_json(msgspec.to_builtins(found, enc_hook=str))
        return
    say(f"run {run_id}: {found.run['rule']} version {found.run['version']}, {found.run['state']}")
    say(f"fact: {_json(found.fact)}" if found.fact else "fact: nothing is left of it")
    for step in found.steps:
        say(f"{step['path']} {step['kind']}: {_json(step['output'])}")
    for failure in found.run["failures"] or ():
        say(f"{failure['path']} failed: {failure['code']}: {failure['reason']}")
    for effect in found.effects:
        why = effect["last_error"] or ""
        say(f"{effect['action']} {effect['kind']}: {effect['state']} {why}".rstrip())


def retry(
    run_id: RunId,
    version: Annotated[Literal["same", "current"], typer.Option(help="By which version.")] = "same",
    start_at: Annotated[str | None, typer.Option(help="From this action on.")] = None,
    as_json: Json = False,
) -> None:
    """Run a failed one again; what was done is not done again."""
    again = Again(getpass.getuser(), version, start_at)
    with errors_in_words(as_json):
        now = _decide(lambda desk: rule_retries.retry(desk, run_id, again))
    _put(as_json, f"run {now} runs again", run_id=now)


def dismiss(run_id: RunId, as_json: Json = False) -> None:
    """Leave a failed run as it is."""
    by = getpass.getuser()
    with errors_in_words(as_json):
        _decide(lambda desk: rule_retries.dismiss(desk.connection, run_id, by))
    _put(as_json, f"run {run_id} stays as it is", run_id=run_id)


def replay(
    name: Name,
    since: Annotated[datetime, typer.Option(help="Received from then (UTC).")],
    until: Until = None,
    as_json: Json = False,
) -> None:
    """Run the current version on events of the past that it was not run on."""
    by = getpass.getuser()
    time = (since.replace(tzinfo=UTC), _utc(until) or datetime.now(UTC))
    with errors_in_words(as_json):
        count = _decide(lambda desk: rule_retries.replay(desk, name, time, by))
    _put(as_json, f"'{name}' ran on {count} events", rule=name, runs=count)


def figures(
    name: Annotated[str | None, typer.Argument(help="Of this rule only.")] = None,
    days: Annotated[int, typer.Option(min=1, max=3_650)] = DAYS_SHOWN,
    as_json: Json = False,
) -> None:
    """Count what each version did, and what fails or waits now."""
    since = datetime.now(UTC) - timedelta(days=days)
    with errors_in_words(as_json):
        found = with_hub(lambda c: rule_runs.summary(c, since, name), "reader")
    lines = [
        f"{one['rule']} v{one['version']}: {one['done']} done, {one['skipped']} skipped,"
        f" {one['failed']} failed, {one['effects']} effects; now {one['failing']} failing,"
        f" {one['waiting']} waiting"
        for one in found
    ]
    _put(as_json, "\n".join(lines) or "no rule ran", versions=msgspec.to_builtins(found))


def add_to(app: typer.Typer) -> None:
    """The commands, in a group of others."""
    for command in (runs, run, retry, dismiss, replay, figures):
        app.command()(command)


def _decide(work: Callable[[Desk], Awaitable[Any]]) -> Any:
    vault, book = _vault(), _book()

    async def in_transaction(connection: db.Connection) -> Any:
        async with connection.transaction():
            return await work(Desk(connection, vault, book))

    return with_hub(in_transaction, "writer")


def _vault() -> Vault:
    return Vault(settings.load().secret())


def _book() -> RuleBook:
    return RuleBook(settings.load().rule_address_list)


def _utc(time: datetime | None) -> datetime | None:
    return time.replace(tzinfo=UTC) if time is not None else None


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()


def _put(as_json: bool, words: str, **value: Any) -> None:
    if as_json:
        put_json(value)
    else:
        say(words)
