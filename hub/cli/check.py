"""`hub check`: the invariants of `hub.store.check`, counted on the hub's data.

Those that only a running hub can show are looked at where Kafka answers; of those that tests prove
it says when they last did.
"""

import asyncio
from datetime import datetime

import typer

from hub import settings
from hub.cli.screen import Json, errors_in_words, note, put_json, say, unreachable_in_words
from hub.errors import UnreachableError
from hub.local import watermarks
from hub.settings import Settings
from hub.store import check, proofs
from hub.store.check import CheckResult, Invariant


def run(as_json: Json = False) -> None:
    """Count what breaks each invariant; status 1 if anything does. The last line is JSON."""
    with errors_in_words(as_json), unreachable_in_words():
        hub = settings.load()
        results = asyncio.run(_results(hub, as_json))
        held = asyncio.run(check.last(hub.dsn("writer")))
    found = {result.name: result for result in results}
    proved = {one.name: _proved_at(one, held) for one in check.INVARIANTS}
    if not as_json:
        for one in check.INVARIANTS:
            say(f"{one.proof:6} {one.name:45} {_words(one, found.get(one.name), proved[one.name])}")
    violations = sum(result.violations for result in results)
    put_json(
        {
            "invariants": {result.name: result.violations for result in results},
            "proofs": {one.name: one.proof for one in check.INVARIANTS},
            "proved_at": proved,
            "violations": violations,
        }
    )
    raise typer.Exit(0 if violations == 0 else 1)


async def _results(hub: Settings, as_json: bool) -> list[CheckResult]:
    dsn = hub.dsn("writer")
    results = await check.run(dsn)
    try:
        live = [await watermarks.check(hub)]
    except UnreachableError as error:
        if not as_json:
            note(f"not looked at on running traffic: {error.what}")
        return results
    await check.keep(dsn, live)
    return results + live


def _proved_at(one: Invariant, held: dict[str, datetime]) -> datetime | None:
    return proofs.read().get(one.proved_by) if one.proof == "test" else held.get(one.name)


def _words(one: Invariant, result: CheckResult | None, proved_at: datetime | None) -> str:
    when = f"last on {proved_at:%Y-%m-%d %H:%M}" if proved_at else "never on this machine"
    if one.proof == "test":
        return f"proved by {one.proved_by}, {when}"
    if result is None:
        return f"shown by running traffic, {when}"
    if result.violations == 0:
        return "ok"
    return f"{result.violations} violations, such as {result.sample[:1]}"
