"""`hub member`: try a matching policy on the members there are."""

from pathlib import Path
from typing import Annotated

import typer

from hub import settings
from hub.cli.connected import read_document, with_hub
from hub.cli.screen import Json, errors_in_words, put_json, say
from hub.domain import policy
from hub.store import member_commands
from hub.store.sealing import Vault

SHOWN_MAX = 50

app = typer.Typer(no_args_is_help=True)


@app.callback()
def group() -> None:
    """Members."""


@app.command("try-policy")
def try_policy(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="The policy, in JSON.")],
    as_json: Json = False,
) -> None:
    """Say which members another matching policy would merge or part. Changes nothing."""
    with errors_in_words(as_json):
        tried = read_document(file, policy.read)
        vault = Vault(settings.load().secret())
        found = with_hub(lambda held: member_commands.regrouped(held, vault, tried), "reader")
    if as_json:
        put_json(found)
        return
    for kind, word in (("merged", "would be one"), ("split", "would be parted")):
        for accounts in found[kind][:SHOWN_MAX]:
            say(f"{word}: {', '.join(accounts)}")
        if len(found[kind]) > SHOWN_MAX:
            say(f"and {len(found[kind]) - SHOWN_MAX} more")
    say(f"{len(found['merged'])} merges, {len(found['split'])} partings")
