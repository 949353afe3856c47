"""`hub key`: make, list, rotate and revoke keys of the API. What a key is: `hub.store.keys`."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Annotated, Any, TypeVar

import typer
from rich.console import Console
from rich.table import Table

from hub import settings
from hub.cli.screen import Json, errors_in_words, note, put_json, say, unreachable_in_words
from hub.store import db, keys

COMMAND_TIMEOUT_S = 10
CLOSE_TIMEOUT_S = 5

app = typer.Typer(no_args_is_help=True)
_Result = TypeVar("_Result")


@app.command()
def create(
    label: Annotated[str, typer.Argument(help="What the key is for, shown in lists.")],
    scope: Annotated[list[str], typer.Option(help=f"One of {', '.join(keys.SCOPES)}.")],
    channel: Annotated[str | None, typer.Option(help="The only channel it may act for.")] = None,
    requests_per_s: Annotated[
        int | None, typer.Option(help="Requests a second, of each API process.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Make a key and print it: the only time its secret is shown."""
    with errors_in_words(as_json):
        new = keys.NewKey(label, tuple(scope), channel, requests_per_s)
        token = _on_connection(lambda connection: keys.create(connection, new))
    if as_json:
        put_json({"key": token, "channel": channel, "scopes": scope})
        return
    say(token)
    note("Keep it now: only its digest is stored, it can't be shown again.")


@app.command("list")
def list_keys(as_json: Json = False) -> None:
    """List all keys, the newest first, without their secrets."""
    with errors_in_words(as_json):
        found = _on_connection(keys.all_keys)
    if as_json:
        put_json([_plain(key) for key in found])
        return
    table = Table("key", "label", "channel", "scopes", "last used", "revoked")
    for key in found:
        table.add_row(
            key.key_prefix,
            key.label,
            key.channel or "all",
            ", ".join(sorted(key.scopes)),
            _moment(key.last_used_at),
            _moment(key.revoked_at),
        )
    Console().print(table)


@app.command()
def rotate(
    key: Annotated[str, typer.Argument(help="The key, or its part before the dot.")],
    overlap_hours: Annotated[
        int, typer.Option(min=0, max=24 * 90, help="For how long the old secret is good as well.")
    ] = 24,
    as_json: Json = False,
) -> None:
    """Give a key a new secret and print it: the only time it is shown."""
    prefix = key.partition(".")[0]
    overlap = timedelta(hours=overlap_hours)
    with errors_in_words(as_json):
        token = _on_connection(lambda connection: keys.rotate(connection, prefix, overlap))
    if as_json:
        put_json({"key": token, "overlap_hours": overlap_hours})
        return
    say(token)
    note(f"Keep it now. The secret before is good for {overlap_hours} more hours.")


@app.command()
def revoke(
    key: Annotated[str, typer.Argument(help="The key, or its part before the dot.")],
    as_json: Json = False,
) -> None:
    """Revoke a key; requests with it are refused within a second."""
    prefix = key.partition(".")[0]
    with errors_in_words(as_json):
        revoked = _on_connection(lambda connection: keys.revoke(connection, prefix))
    if as_json:
        put_json(_plain(revoked))
        return
    say(f"{revoked.key_prefix} ({revoked.label}) is revoked.")


def _on_connection(work: Callable[[db.Connection], Awaitable[_Result]]) -> _Result:
    """Do the work on one connection as the writer."""

    async def run() -> _Result:
        dsn = settings.load().dsn("writer")
        connection = await db.connect(dsn, command_timeout_s=COMMAND_TIMEOUT_S)
        try:
            return await work(connection)
        finally:
            await connection.close(timeout=CLOSE_TIMEOUT_S)

    with unreachable_in_words():
        return asyncio.run(run())


def _plain(key: keys.ApiKey) -> dict[str, Any]:
    return asdict(key) | {"scopes": sorted(key.scopes)}


def _moment(moment: datetime | None) -> str:
    return moment.strftime("%Y-%m-%d %H:%M:%S UTC") if moment else "-"
