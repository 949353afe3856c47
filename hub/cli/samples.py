"""`hub samples`: the two sample channels on the hub that runs in this data folder."""

from typing import Annotated

import typer

from hub import settings
from hub.cli.screen import Json, errors_in_words, note, put_json, say, unreachable_in_words
from hub.cli.up import stop_asked
from hub.local import samples


def run(
    website: Annotated[str, typer.Option(help="What the hub calls the website.")] = "website",
    miniprogram: Annotated[
        str, typer.Option(help="What the hub calls the mini-program.")
    ] = "miniprogram",
    as_json: Json = False,
) -> None:
    """Run a small website and a mini-program on the running hub until Ctrl-C. The hub has to be
    started with HUB_LOCAL_RECEIVERS=1, since it tells them on this machine."""
    found = settings.load()
    channels = {"website": website, "miniprogram": miniprogram}
    with (
        errors_in_words(as_json),
        unreachable_in_words(),
        stop_asked() as asked,
        samples.running(found, channels) as addresses,
    ):
        if as_json:
            put_json(addresses)
        else:
            for program, address in addresses.items():
                say(f"{program:12} {address}")
            note("Ctrl-C ends both; what they have told stays in the hub.")
        asked.wait()
