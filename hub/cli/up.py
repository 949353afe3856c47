"""`hub up`: the supervisor in the foreground, one line a state change."""

import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Annotated

import typer

from hub import settings
from hub.cli.connected import with_hub
from hub.cli.screen import Json, errors_in_words, put_json, say
from hub.local import datafolder
from hub.local.keeper import Change, State
from hub.local.supervisor import Supervisor
from hub.store import people

COLOURS = {
    State.READY: "green",
    State.DONE: "green",
    State.FAILED: "red",
    State.RESTARTING: "yellow",
}


def run(
    only: Annotated[
        str | None, typer.Option(help="Only these parts, by name: postgres,kafka,worker,…")
    ] = None,
    as_json: Json = False,
) -> None:
    """Start all parts and watch over them until Ctrl-C."""
    with errors_in_words(as_json), stop_asked() as asked:
        names = only.split(",") if only else None
        found = settings.load()
        hub = Supervisor(found, only=names, report=reporter(as_json))
        with hub:
            # From now on the folder holds somebody's hub: no demo may delete it any more.
            datafolder.demo_mark(found).unlink(missing_ok=True)
            _wait_ready(hub, asked)
            if not asked.is_set():
                _announce(hub, as_json)
                _point_to_console(hub, as_json)
            asked.wait()


@contextmanager
def stop_asked() -> Iterator[threading.Event]:
    """An event that Ctrl-C and SIGTERM set, instead of tearing us out of the middle."""
    asked = threading.Event()
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.signal(number, lambda *_: asked.set()) for number in numbers}
    try:
        yield asked
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _wait_ready(hub: Supervisor, asked: threading.Event) -> None:
    while not asked.is_set() and not hub.is_ready():
        asked.wait(0.1)


def _announce(hub: Supervisor, as_json: bool) -> None:
    if as_json:
        put_json(hub.snapshot())
        return
    say("")
    for name, address in hub.addresses().items():
        say(f"  {name:18} {address}")
    say("\nThe hub is up. Ctrl-C stops it.")


def _point_to_console(hub: Supervisor, as_json: bool) -> None:
    """Say where people work, and how the first of them gets in."""
    address = hub.addresses().get("api")
    if as_json or address is None or "postgres" not in hub.addresses():
        return
    say(f"The console: {address}/console")
    if not with_hub(people.all_people, "writer"):
        say("Nobody may log in yet: hub person add YOUR_NAME --role admin")


def reporter(as_json: bool) -> Callable[[Change], None]:
    """Prints each change as one line; progress within a state too.

    Once nobody reads them any more (a pipe was closed) the hub goes on without.
    """
    begin = time.monotonic()

    def report(change: Change) -> None:
        with suppress(BrokenPipeError):
            put(change)

    def put(change: Change) -> None:
        if as_json:
            put_json({"name": change.name, "state": change.state, "detail": change.detail})
            return
        state = typer.style(f"{change.state:10}", fg=COLOURS.get(change.state))
        say(f"{time.monotonic() - begin:7.1f} s  {change.name:18} {state} {change.detail}")

    return report
