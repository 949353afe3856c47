"""`hub replay`: rebuilds the state from the log by `hub.store.replay`, compares, swaps."""

from typing import Annotated

import typer

from hub import settings
from hub.cli.screen import Json, errors_in_words, note, put_json, say


def run(
    since: Annotated[
        str | None, typer.Option("--from", help="Only events received since then (RFC 3339).")
    ] = None,
    swap: Annotated[
        bool, typer.Option("--swap", help="Put the rebuilt state in place of the present one.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Rebuild the state in a second schema and compare; status 1 if they differ."""
    with errors_in_words(as_json):
        from hub.store import replay

        outcome = replay.run(settings.load(), since=since, swap=swap, say=note)
    if as_json:
        put_json(outcome)
    else:
        for name, value in outcome.items():
            say(f"{name:20} {value}")
    raise typer.Exit(0 if outcome["equal"] else 1)
