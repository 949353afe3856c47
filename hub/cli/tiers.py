"""`hub tier`: try a tier scheme on the members there are."""

from pathlib import Path
from typing import Annotated

import typer

from hub.cli.connected import read_document, try_on_hub
from hub.cli.screen import Json, errors_in_words, put_json, say
from hub.domain import tier_schemes
from hub.store import tier_trial

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
        scheme = read_document(file, tier_schemes.read)
        trial = try_on_hub(lambda held: tier_trial.try_scheme(held, name, scheme))
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
