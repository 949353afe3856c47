"""`hub key`: make, list and revoke keys of the API. What a key is: `hub.store.keys`."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from typing import Annotated, Any, TypeVar

import asyncpg
import typer
from rich.console import Console
from rich.table import Table

from hub import settings
from hub.errors import HubError, UnreachableError
from hub.store import keys

CONNECT_TIMEOUT_S = 5
COMMAND_TIMEOUT_S = 10

app = typer.Typer(name="key", help="Keys of the API.", no_args_is_help=True)
_Result = TypeVar("_Result")
_Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")]


@app.command()
def create(
    label: Annotated[str, typer.Argument(help="What the key is for, shown in lists.")],
    scope: Annotated[list[str], typer.Option(help=f"One of {', '.join(keys.SCOPES)}.")],
    channel: Annotated[str | None, typer.Option(help="The only channel it may act for.")] = None,
    as_json: _Json = False,
) -> None:
    """Make a key and print it: the only time its secret is shown."""
    token = _run(lambda connection: keys.create(connection, _new(label, scope, channel)))
    if as_json:
        typer.echo(json.dumps({"key": token, "channel": channel, "scopes": scope}))
        return
    typer.echo(token)
    typer.echo("Keep it now: only its digest is stored, it can't be shown again.", err=True)


@app.command("list")
def list_keys(as_json: _Json = False) -> None:
    """List all keys, the newest first, without their secrets."""
    found = _run(keys.all_keys)
    if as_json:
        typer.echo(json.dumps([_plain(key) for key in found], default=str))
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
def revoke(
    key: Annotated[str, typer.Argument(help="The key's part before the dot.")],
    as_json: _Json = False,
) -> None:
    """Revoke a key; requests with it are refused within a second."""
    prefix = key.partition(".")[0]
    revoked = _run(lambda connection: keys.revoke(connection, prefix))
    if as_json:
        typer.echo(json.dumps(_plain(revoked), default=str))
        return
    typer.echo(f"{revoked.key_prefix} ({revoked.label}) is revoked.")


def _new(label: str, scopes: list[str], channel: str | None) -> keys.NewKey:
    return keys.NewKey(label, tuple(scopes), channel)


def _run(work: Callable[[keys.Connection], Awaitable[_Result]]) -> _Result:
    """Do the work on one connection as the writer; errors become a line and exit status 1."""

    async def connected() -> _Result:
        try:
            connection = await asyncpg.connect(
                settings.load().dsn("writer"),
                timeout=CONNECT_TIMEOUT_S,
                command_timeout=COMMAND_TIMEOUT_S,
            )
        except (OSError, TimeoutError, asyncpg.PostgresError) as error:
            raise UnreachableError(
                f"Postgres does not answer ({type(error).__name__})", mend="start it: hub up"
            ) from error
        try:
            return await work(connection)
        finally:
            await connection.close(timeout=CONNECT_TIMEOUT_S)

    try:
        return asyncio.run(connected())
    except HubError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from error


def _plain(key: keys.ApiKey) -> dict[str, Any]:
    return asdict(key) | {"scopes": sorted(key.scopes)}


def _moment(moment: Any) -> str:
    return moment.strftime("%Y-%m-%d %H:%M:%S UTC") if moment else "-"
