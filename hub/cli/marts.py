"""`hub marts`: which build of the marts readers see, and how an analyst connects."""

from typing import Annotated

import psycopg
import typer

from hub import settings
from hub.cli.screen import Json, errors_in_words, put_json, say, unreachable_in_words

BEHIND = 1


def run(
    url: Annotated[
        bool, typer.Option("--url", help="Only print the analyst's connection URL.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Say which build readers see; status 1 if it is not the last one.

    An analyst connects with `psql "$(hub marts --url)"`, reads marts only, and sees no personal
    columns.
    """
    from hub_assets import publishing

    with errors_in_words(as_json), unreachable_in_words():
        hub = settings.load()
        if url:
            say(hub.dsn("analyst"))
            return
        with psycopg.connect(hub.dsn("dbt"), connect_timeout=10) as connection:
            now = publishing.state(connection)
    if as_json:
        put_json(
            {
                "is_current": now.is_current,
                "shown_build": now.shown_build,
                "shown_since": now.shown_since and now.shown_since.isoformat(),
                "last_build": now.last_build,
                "last_status": now.last_status,
                "reason": now.reason,
            }
        )
    else:
        say(publishing.told(now))
    raise typer.Exit(0 if now.is_current else BEHIND)
