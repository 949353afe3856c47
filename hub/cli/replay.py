"""`hub replay`: rebuilds the state from the log by `hub.store.replay`, compares, swaps."""

import asyncio
from dataclasses import asdict
from typing import Annotated, Literal

import typer

from hub import settings
from hub.cli.screen import (
    Json,
    counter,
    errors_in_words,
    put_json,
    say,
    unreachable_in_words,
)
from hub.store import replay
from hub.store.sealing import Vault


def run(
    source: Annotated[
        Literal["log"], typer.Option("--from", help="Where the events are read: the hub's log.")
    ] = "log",
    swap: Annotated[
        bool, typer.Option("--swap", help="Put the rebuilt state in place of the present one.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Rebuild the state in a second schema and compare; status 1 if they differ."""
    hub = settings.load()
    with (
        errors_in_words(as_json),
        unreachable_in_words(),
        counter(as_json, "events replayed") as progress,
    ):
        vault = Vault(hub.secret())
        outcome = asyncio.run(replay.replay(hub.dsn("owner"), vault, swap=swap, progress=progress))
    if as_json:
        put_json(asdict(outcome) | {"is_equal": outcome.is_equal})
    else:
        _print(outcome)
    raise typer.Exit(0 if outcome.is_equal or outcome.swapped else 1)


def _print(outcome: replay.Replay) -> None:
    say(f"{outcome.events} events replayed, {outcome.erased} of them erased since")
    for difference in outcome.differences:
        say(
            f"{difference.table}: {difference.only_live} rows only live, "
            f"{difference.only_replayed} only replayed, such as {difference.sample[:1]}"
        )
    if outcome.outcomes_changed:
        say(f"{outcome.outcomes_changed} events have another outcome now")
    if outcome.swapped:
        say("The replayed state is now the live one.")
    elif outcome.is_equal:
        say("The replayed state equals the live one.")
