"""`hub rule`: write sync rules, try them on real events, publish, pause and roll back.

Rules are files until they are published. What they may say: docs/rules.md.
"""

import difflib
import getpass
import resource
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer

from hub import settings
from hub.cli import rule_runs
from hub.cli.connected import try_on_hub, with_hub
from hub.cli.screen import Json, errors_in_words, put_json, say
from hub.domain import ids
from hub.domain.rule_versions import Status
from hub.errors import SettingsError
from hub.rules import checking, document, drafts, masking, ruleset, running, text, trial
from hub.rules.problems import RuleInvalid
from hub.rules.running import Compiled
from hub.rules.trial import Trial
from hub.store import db, rule_schedules, rules
from hub.store.rules import Published, Span, Word
from hub.store.sealing import Vault

MEMORY_BYTES_MAX = 2 * 1024**3
"""What trying a rule may take: beyond what expressions are bounded to, by a wide margin."""
app = typer.Typer(no_args_is_help=True)
rule_runs.add_to(app)
File = Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="The rule, YAML or JSON.")]
Name = Annotated[str, typer.Argument(help="The rule's name.")]
Reason = Annotated[str, typer.Option(help="Why: kept with the version.")]
Since = Annotated[datetime | None, typer.Option(help="From then (UTC); a day ago without it.")]
Until = Annotated[datetime | None, typer.Option(help="Until then (UTC); now without it.")]


@app.callback()
def group() -> None:
    """Sync rules."""


@app.command()
def new(
    name: Name,
    template: Annotated[str, typer.Option(help="Which template.")] = "order-to-all-channels",
    channel: Annotated[
        list[str] | None,
        typer.Option(help="What a channel of the template is called here: website=my-shop"),
    ] = None,
    as_json: Json = False,
) -> None:
    """Write a rule's first draft from a template to NAME.yaml."""
    with errors_in_words(as_json):
        channels = dict(_renaming(one) for one in channel or [])
        written = drafts.draft(template, name, channels)
        draft = Path(f"{name}.yaml")
        if draft.exists():
            raise SettingsError(f"{draft} exists already", mend="use another name")
        checked(written)
        draft.write_text(written, encoding="utf-8")
    _put(as_json, f"{draft} written: change it, then hub rule check {draft}", file=str(draft))


@app.command()
def check(file: File, as_json: Json = False) -> None:
    """Say what is wrong with a rule: place, reason, what to do. Needs no hub."""
    with errors_in_words(as_json):
        rule = checked(_read(file)).rule
    _put(as_json, f"{file}: rule '{rule.rule}' is right", rule=rule.rule, ok=True)


@app.command("test")
def try_event(
    file: File,
    event: Annotated[str, typer.Option(help="Id of a real event.")],
    since: Since = None,
    until: Until = None,
    as_json: Json = False,
) -> None:
    """Run a rule on one real event and show each step. Does nothing."""
    with errors_in_words(as_json):
        draft = running.compile_rule(checked(_read(file)), 0)
        found, _ = _facts(draft, (since, until), event)
        runs = [masking.masked_run(one, fact, draft) for fact in found for one in _run(draft, fact)]
        if not found:
            raise SettingsError(
                f"no event '{event}' that the rule is triggered by in that time",
                mend="give --since",
            )
    if as_json:
        put_json(msgspec.to_builtins(runs))
        return
    if not runs:
        say("the rule is not concerned: another channel, or its condition does not hold")
    for run in runs:
        for step in run.steps:
            say(f"{step.path} {step.kind}: {msgspec.json.encode(step.output).decode()}")
        for failure in run.failures:
            say(f"{failure.path} failed: {failure.code}: {failure.reason}")
        say(f"{run.status}, {len(run.effects)} effects")


@app.command("dry-run")
def dry_run(file: File, since: Since = None, until: Until = None, as_json: Json = False) -> None:
    """Run a rule over the real events of a time and count what it would do, beside what the version
    that is live does. Does nothing."""
    with errors_in_words(as_json):
        draft = running.compile_rule(checked(_read(file)), 0)
        found, live = _facts(draft, (since, until), None)
        tried = trial.dry_run(draft, live, found)
    if as_json:
        put_json(msgspec.to_builtins(tried))
        return
    _say_trial(tried)


@app.command()
def diff(file: File, as_json: Json = False) -> None:
    """Compare a rule with its newest published version, line by line."""
    with errors_in_words(as_json):
        rule = checked(_read(file))
        name = rule.rule.rule
        newest = with_hub(lambda held: rules.history(held, name), "reader")[-1]
        before, after = newest.written, text.write(document.plain(rule.rule))
    names = (f"version {newest.number}", str(file))
    both = before.splitlines(), after.splitlines()
    lines = list(difflib.unified_diff(*both, *names, lineterm=""))
    _put(as_json, "\n".join(lines) or "no difference", lines=lines)


@app.command()
def publish(file: File, reason: Reason, as_json: Json = False) -> None:
    """Publish a rule: it counts for every event from now on."""
    with errors_in_words(as_json):
        written = _read(file)
        name = checked(written).rule.rule

        async def work(held: db.Connection) -> Any:
            return await rules.publish(held, _vault(), written, _word(reason))

        outcome = _decide(work)
    words = [finding.en for finding in outcome.findings]
    approval = ids.text(outcome.approval_id) if outcome.approval_id is not None else None
    first = f"'{name}' published"
    if approval is not None:
        first = f"'{name}' waits for a second person: approval {approval}"
    said = "\n".join([first, *(f"look: {one}" for one in words)])
    _put(as_json, said, rule=name, approval_id=approval, findings=words)


@app.command()
def pause(name: Name, reason: Reason, as_json: Json = False) -> None:
    """Stop a rule for every event from now on."""
    _set_status(name, "paused", reason, as_json)


@app.command()
def resume(name: Name, reason: Reason, as_json: Json = False) -> None:
    """Let a paused rule run again."""
    _set_status(name, "published", reason, as_json)


@app.command()
def start(name: Name, as_json: Json = False) -> None:
    """Run a rule with a schedule over its segment at once."""
    with errors_in_words(as_json):
        with_hub(lambda held: rule_schedules.ask(held, name, getpass.getuser()), "writer")
    _put(as_json, f"'{name}' runs over its segment now", rule=name)


@app.command()
def archive(name: Name, reason: Reason, as_json: Json = False) -> None:
    """Put a rule away; its versions stay."""
    _set_status(name, "archived", reason, as_json)


@app.command()
def rollback(
    name: Name,
    version: Annotated[int, typer.Argument(help="The version to go back to.")],
    reason: Reason,
    as_json: Json = False,
) -> None:
    """Publish what an earlier version said, as a new version."""

    async def work(held: db.Connection) -> None:
        await rules.roll_back(held, _vault(), name, version, _word(reason))

    with errors_in_words(as_json):
        _decide(work)
    _put(as_json, f"'{name}' says what version {version} said", rule=name, as_version=version)


@app.command("list")
def list_(
    name: Annotated[str | None, typer.Argument(help="All versions of this rule only.")] = None,
    as_json: Json = False,
) -> None:
    """Show the newest version of each rule, or all versions of one."""
    with errors_in_words(as_json):
        found = with_hub(lambda held: rules.versions(held, name), "reader")
    shown = found if name is not None else list({one.name: one for one in found}.values())
    rows = [msgspec.to_builtins(one) for one in shown]
    lines = [f"{v.name} version {v.number} {v.status} by {v.by}: {v.reason}" for v in shown]
    _put(as_json, "\n".join(lines) or "no rule was published yet", rules=rows)


@app.command()
def export(folder: Annotated[Path, typer.Argument(file_okay=False)], as_json: Json = False) -> None:
    """Write the rules that run to files, NAME.yaml each, to be kept in git."""
    with errors_in_words(as_json):
        found = with_hub(rules.live, "reader")
        folder.mkdir(parents=True, exist_ok=True)
        for version in found:
            (folder / f"{version.name}.yaml").write_text(version.written, encoding="utf-8")
    names = [version.name for version in found]
    _put(as_json, f"{len(names)} rules written to {folder}", rules=names)


@app.command()
def apply(
    folder: Annotated[Path, typer.Argument(exists=True, file_okay=False)],
    reason: Reason,
    as_json: Json = False,
) -> None:
    """Publish the rules of a folder that differ from those that run: all of them, or none."""
    with errors_in_words(as_json):
        written = [_read(file) for file in sorted(folder.glob("*.yaml"))]
        wanted = {checked(one).rule.rule: one for one in written}

        async def work(held: db.Connection) -> list[str]:
            running_now = {one.name: one for one in await rules.live(held)}
            changed = [n for n, one in wanted.items() if _differs(one, running_now.get(n))]
            for name in changed:
                await rules.publish(held, _vault(), wanted[name], _word(reason))
            return changed

        changed = _decide(work)
    _put(as_json, f"{len(changed)} of {len(wanted)} rules published", published=changed)


def checked(written: str) -> checking.Checked:
    """The rule, or a `RuleInvalid` that tells each problem on its own line."""
    try:
        return checking.check(written, settings.load().rule_address_list)
    except RuleInvalid as invalid:
        lines = [f"{one}\n    {one.zh}" for one in invalid.problems]
        raise SettingsError("\n  ".join(["the rule is not right", *lines])) from invalid


def _renaming(said: str) -> tuple[str, str]:
    before, equals, now = said.partition("=")
    if not (before and equals and now):
        raise SettingsError(f"'{said}' is not of the form website=my-shop")
    return before, now


def _facts(
    draft: Compiled, time: tuple[datetime | None, datetime | None], event: str | None
) -> tuple[list[Any], Compiled | None]:
    """The facts to try on, and the version that is live now; within a bound of memory."""
    resource.setrlimit(resource.RLIMIT_DATA, (MEMORY_BYTES_MAX, resource.RLIM_INFINITY))
    now = datetime.now(UTC)
    since, until = (one.replace(tzinfo=UTC) if one is not None else None for one in time)
    rule = draft.checked.rule
    span = Span(
        rule.trigger.types, since or now - timedelta(days=1), until or now, event, over=rule
    )
    vault = _vault()

    async def work(held: db.Connection) -> tuple[list[Any], Compiled | None]:
        live = [one for one in await rules.live(held) if one.name == draft.name]
        ready = rules.ruleset(live, settings.load().rule_address_list).rules.get(draft.name)
        return [fact for _, fact in await rules.facts(held, vault, span)], ready

    return try_on_hub(work, "writer")


def _run(draft: Compiled, fact: Any) -> list[Any]:
    return ruleset.run(ruleset.Ruleset([draft]), fact, trace=True)


def _say_trial(tried: Trial) -> None:
    say(f"{tried.facts} events: {tried.created} effects would be new, {tried.changed} otherwise,")
    say(f"{tried.same} the same, {tried.dropped} no more; {tried.skipped} events skipped,")
    say(f"{tried.failed} failed")
    for change in tried.changes:
        say(f"  {change.event_key} {change.action}")
        for sign, effect in (("-", change.live), ("+", change.draft)):
            if effect is not None:
                say(f"    {sign} {msgspec.json.encode(effect).decode()}")
    for run in tried.failures:
        for failure in run.failures:
            say(f"  {run.event_key} {failure.path}: {failure.code}: {failure.reason}")


def _set_status(name: str, status: Status, reason: str, as_json: bool) -> None:
    async def work(held: db.Connection) -> None:
        await rules.set_status(held, _vault(), name, status, _word(reason))

    with errors_in_words(as_json):
        _decide(work)
    _put(as_json, f"'{name}' is {status}", rule=name, status=status)


def _decide(work: Callable[[db.Connection], Awaitable[Any]]) -> Any:
    async def in_transaction(connection: db.Connection) -> Any:
        async with connection.transaction():
            return await work(connection)

    return with_hub(in_transaction, "writer")


def _differs(written: str, version: Published | None) -> bool:
    return version is None or checked(written).rule != rules.document_of(version)


def _vault() -> Vault:
    return Vault(settings.load().secret())


def _word(reason: str) -> Word:
    return Word(getpass.getuser(), reason, settings.load().rule_address_list)


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise SettingsError("the file is no text in UTF-8", where=str(file)) from error


def _put(as_json: bool, words: str, **value: Any) -> None:
    if as_json:
        put_json(value)
    else:
        say(words)
