"""`hub config`: publish documents of configuration, and see their versions."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from hub import settings
from hub.cli.connected import read_json, with_hub
from hub.cli.screen import Json, errors_in_words, put_json, say
from hub.domain import rule_versions
from hub.errors import SettingsError
from hub.store import configs, db
from hub.store.configs import Draft
from hub.store.sealing import Vault

app = typer.Typer(no_args_is_help=True)
Which = Annotated[str, typer.Argument(help="Kind and name, such as approvals/points.")]


@app.callback()
def group() -> None:
    """Configuration."""


@app.command()
def apply(
    document: Which,
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="The document, JSON.")],
    reason: Annotated[str, typer.Option(help="Why: kept with the version.")],
    valid_from: Annotated[
        datetime | None, typer.Option(help="In force from then (UTC); at once without it.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Publish a version of a document. The hub need not be restarted."""
    with errors_in_words(as_json):
        kind, name = _kind_and_name(document)
        if kind == rule_versions.KIND:
            raise SettingsError(
                "rules are checked more than this does", mend="use: hub rule publish"
            )
        since = valid_from.replace(tzinfo=UTC) if valid_from is not None else None
        draft = Draft(kind, name, _read(file), reason, since)
        hub = settings.load()

        async def publish(connection: db.Connection) -> Any:
            async with connection.transaction():
                await configs.publish(connection, Vault(hub.secret()), draft)
            return await configs.listed(connection, kind, name)

        version = with_hub(publish, "writer")[0]["version"]
    if as_json:
        put_json({"kind": kind, "name": name, "version": version})
    else:
        say(f"{kind}/{name}: version {version} published")


@app.command("list")
def list_(as_json: Json = False) -> None:
    """Show the newest version of each document."""
    with errors_in_words(as_json):
        rows = with_hub(lambda connection: configs.listed(connection, None, None), "reader")
    newest: dict[tuple[str, str], Any] = {}
    for row in rows:
        newest.setdefault((row["kind"], row["name"]), row)
    _put(list(newest.values()), as_json)


@app.command()
def show(document: Which, as_json: Json = False) -> None:
    """Show all versions of a document, the newest first, and the newest in full."""
    with errors_in_words(as_json):
        kind, name = _kind_and_name(document)
        rows = with_hub(lambda connection: configs.listed(connection, kind, name), "reader")
    _put(rows, as_json)
    if rows and not as_json:
        say(json.dumps(rows[0]["document"], indent=2, ensure_ascii=False))


def _put(rows: list[Any], as_json: bool) -> None:
    if as_json:
        put_json([dict(row) for row in rows])
        return
    for row in rows:
        since = row["valid_from"].isoformat(timespec="seconds")
        say(f"{row['kind']}/{row['name']} version {row['version']} from {since}: {row['reason']}")
    if not rows:
        say("nothing was published yet: the hub works by what it was shipped with")


def _kind_and_name(document: str) -> tuple[str, str]:
    kind, _, name = document.partition("/")
    if not kind or not name:
        raise SettingsError(f"'{document}' is not KIND/NAME", mend="such as approvals/points")
    return kind, name


def _read(file: Path) -> dict[str, Any]:
    document = read_json(file)
    if not isinstance(document, dict):
        raise SettingsError("the document is no JSON object", where=str(file))
    return document
