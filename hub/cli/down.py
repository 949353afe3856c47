"""`hub down`: asks the supervisor of this data folder to stop, and waits."""

import os
import signal
import time
from contextlib import suppress
from typing import Annotated

import typer

from hub import settings
from hub.cli.screen import Json, errors_in_words, put_json, say
from hub.errors import ServiceFailedError
from hub.local import datafolder

# Each wave of services may take 10 s until it is killed; there are four.
TIMEOUT_S = 60.0
POLL_S = 0.1


def run(
    timeout_s: Annotated[float, typer.Option(help="How long to wait, in seconds.")] = TIMEOUT_S,
    as_json: Json = False,
) -> None:
    """Stop the hub of this data folder."""
    with errors_in_words(as_json):
        hub = settings.load()
        was_running = datafolder.is_running(hub)
        if was_running:
            _stop(hub, timeout_s)
        if as_json:
            put_json({"was_running": was_running, "is_running": False})
        else:
            say("The hub is down." if was_running else f"No hub runs on {hub.data_dir}.")


def _stop(hub: settings.Settings, timeout_s: float) -> None:
    state = datafolder.read_state(hub)
    if state is not None:
        with suppress(ProcessLookupError):
            os.kill(state["pid"], signal.SIGTERM)
    deadline = time.monotonic() + timeout_s
    while datafolder.is_running(hub):
        if time.monotonic() > deadline:
            pid = state["pid"] if state else "of the supervisor"
            raise ServiceFailedError(
                f"the hub still runs after {timeout_s:.0f} s",
                where=str(hub.data_dir),
                mend=f"kill -9 {pid} ends it and, through its guardian, all its services",
            )
        time.sleep(POLL_S)
