"""`hub tier`: try a tier scheme on the members there are."""

import asyncio
import json
from pathlib import Path
from typing import Annotated

import typer

from hub import settings
from hub.cli.screen import Json, errors_in_words, put_json, say, unreachable_in_words
from hub.domain import tier_schemes
from hub.domain.documents import BadDocument
from hub.domain.tier_schemes import Scheme
from hub.errors import SettingsError
from hub.store import db, tier_trial
from hub.store.tier_trial import Trial

NO_LEVEL = "none"

app = typer.Typer(no_args_is_help=True)


@app.callback()
def group() -> None:
    """Tiers."""


@app.command("try")
def try_(
    name: Annotated[str, typer.Argument(help="The scheme's name, a new one or one that exists.")],
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="The scheme, in JSON.")],
    as_json: Json = False,
) -> None:
    """Say how many members a tier scheme would move, from where to where. Changes nothing.

    `hub config apply tier_scheme/NAME FILE` publishes it.
    """
    with errors_in_words(as_json):
        trial = _try(name, _read(file))
    moves = [
        {"from": before, "to": after, "members": count}
        for (before, after), count in trial.moves.most_common()
    ]
    if as_json:
        put_json({"members": trial.members, "moved": trial.moved, "moves": moves})
        return
    say(f"{trial.moved} of {trial.members} members would move")
    for move in moves:
        say(f"  {move['from'] or NO_LEVEL} -> {move['to'] or NO_LEVEL}: {move['members']}")


def _read(file: Path) -> Scheme:
    try:
        return tier_schemes.read(json.loads(file.read_bytes()))
    except BadDocument as bad:
        raise SettingsError(f"{bad.field}: {bad.reason}", where=str(file)) from bad
    except ValueError as error:
        raise SettingsError(f"no JSON: {error}", where=str(file)) from error


def _try(name: str, scheme: Scheme) -> Trial:
    hub = settings.load()

    async def connected() -> Trial:
        connection = await db.connect(hub.dsn("reader"))
        try:
            async with connection.transaction(isolation="repeatable_read", readonly=True):
                return await tier_trial.try_scheme(connection, name, scheme)
        finally:
            await connection.close()

    with unreachable_in_words():
        return asyncio.run(connected())
