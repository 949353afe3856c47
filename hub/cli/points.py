"""`hub points`: try a version of the points rule on the orders there are."""

import asyncio
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from msgspec.structs import asdict

from hub import settings
from hub.cli.screen import Json, errors_in_words, put_json, say, unreachable_in_words
from hub.domain import earning
from hub.domain.documents import BadDocument
from hub.domain.earning import Rates
from hub.errors import SettingsError
from hub.store import db, points_trial
from hub.store.points_trial import Trial
from hub.store.sealing import Vault

app = typer.Typer(no_args_is_help=True)


@app.callback()
def group() -> None:
    """Points."""


@app.command("try")
def try_(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="The rule, in JSON.")],
    since: Annotated[
        datetime | None, typer.Option(help="For what earned from then on (UTC); ever without it.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Say how many orders would earn differently by a points rule, and the sums. Changes nothing.

    `hub config apply points_rules/default FILE` publishes it.
    """
    with errors_in_words(as_json):
        trial = _try(_read(file), since.replace(tzinfo=UTC) if since is not None else None)
    if as_json:
        put_json(asdict(trial))
        return
    say(f"{trial.changed} of {trial.orders} orders would earn differently")
    say(f"  points: {trial.points_now} -> {trial.points_then}")
    say(f"  growth: {trial.growth_now} -> {trial.growth_then}")


def _read(file: Path) -> Rates:
    try:
        return earning.read_rates(json.loads(file.read_bytes()))
    except BadDocument as bad:
        raise SettingsError(f"{bad.field}: {bad.reason}", where=str(file)) from bad
    except ValueError as error:
        raise SettingsError(f"no JSON: {error}", where=str(file)) from error


def _try(rates: Rates, since: datetime | None) -> Trial:
    hub = settings.load()

    async def connected() -> Trial:
        connection = await db.connect(hub.dsn("reader"))
        try:
            async with connection.transaction(isolation="repeatable_read", readonly=True):
                vault = Vault(hub.secret())
                return await points_trial.try_rates(connection, vault, rates, since)
        finally:
            await connection.close()

    with unreachable_in_words():
        return asyncio.run(connected())
