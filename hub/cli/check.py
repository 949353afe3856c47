"""`hub check`: the invariants of `hub.store.check`, counted on the hub's data."""

import asyncio

import typer

from hub import settings
from hub.cli.screen import Json, errors_in_words, put_json, say, unreachable_in_words
from hub.store import check


def run(as_json: Json = False) -> None:
    """Count what breaks each invariant; status 1 if anything does. The last line is JSON."""
    with errors_in_words(as_json), unreachable_in_words():
        results = asyncio.run(check.run(settings.load().dsn("writer")))
    found = {result.name: result for result in results}
    if not as_json:
        for invariant in check.INVARIANTS:
            result = found.get(invariant.name)
            mark = _mark(result) if result else f"proved by {invariant.proved_by}"
            say(f"{invariant.proof:6} {invariant.name:45} {mark}")
    violations = sum(result.violations for result in results)
    put_json(
        {
            "invariants": {result.name: result.violations for result in results},
            "proofs": {one.name: one.proof for one in check.INVARIANTS},
            "violations": violations,
        }
    )
    raise typer.Exit(0 if violations == 0 else 1)


def _mark(result: check.CheckResult) -> str:
    if result.violations == 0:
        return "ok"
    return f"{result.violations} violations, such as {result.sample[:1]}"
