"""`hub points`: try a version of the points rule on the orders there are."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from msgspec.structs import asdict

from hub import settings
from hub.cli.connected import read_document, try_on_hub
from hub.cli.screen import Json, errors_in_words, put_json, say
from hub.domain import earning
from hub.store import points_trial
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
        rates = read_document(file, earning.read_rates)
        start = since.replace(tzinfo=UTC) if since is not None else None
        vault = Vault(settings.load().secret())
        trial = try_on_hub(lambda held: points_trial.try_rates(held, vault, rates, start))
    if as_json:
        put_json(asdict(trial))
        return
    say(f"{trial.changed} of {trial.orders} orders would earn differently")
    say(f"  points: {trial.points_now} -> {trial.points_then}")
    say(f"  growth: {trial.growth_now} -> {trial.growth_then}")
