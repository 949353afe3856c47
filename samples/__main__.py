"""`python -m samples website | miniprogram`: one sample channel, for a hub that runs somewhere.

The key comes from the variable SAMPLE_KEY, since arguments are seen by others of the machine.
"""

import os
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
import uvicorn

from samples import miniprogram, website
from samples.channel import Setup

KEY_VARIABLE = "SAMPLE_KEY"
SHUTDOWN_S = 2


class Program(StrEnum):
    """Which of the two."""

    WEBSITE = "website"
    MINIPROGRAM = "miniprogram"


def run(
    program: Program,
    folder: Annotated[Path, typer.Option(help="Where its books are.")],
    port: Annotated[int, typer.Option(help="Where it listens, on this machine only.")],
    hub: Annotated[str, typer.Option(help="The hub's API.")] = "http://127.0.0.1:18000",
    channel: Annotated[str, typer.Option(help="What the hub calls it; else as the program.")] = "",
) -> None:
    """Serve one sample channel until Ctrl-C."""
    key = os.environ.get(KEY_VARIABLE)
    if not key:
        raise typer.BadParameter(f"set {KEY_VARIABLE} to a key of the channel: hub key create")
    setup = Setup(hub, channel or program.value, key, f"http://127.0.0.1:{port}", folder)
    create = {Program.WEBSITE: website.create_app, Program.MINIPROGRAM: miniprogram.create_app}
    uvicorn.run(
        create[program](setup),
        host="127.0.0.1",
        port=port,
        log_level="warning",
        timeout_graceful_shutdown=SHUTDOWN_S,
    )


if __name__ == "__main__":
    typer.run(run)
