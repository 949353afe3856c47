"""`hub status`: what the running supervisor says of its parts."""

from typing import Any

import typer

from hub import settings
from hub.cli.screen import Json, errors_in_words, put_json, say
from hub.local import datafolder

NOT_RUNNING = 3  # the status code that service scripts use for "stopped"


def run(as_json: Json = False) -> None:
    """Show each part's state, address and log; status 0 if all is up, 3 if nothing runs."""
    with errors_in_words(as_json):
        hub = settings.load()
        state = datafolder.read_state(hub)
    if as_json:
        put_json({"is_running": state is not None, "data_dir": str(hub.data_dir)} | (state or {}))
    elif state is None:
        say(f"No hub runs on {hub.data_dir}.")
    else:
        _print_table(state)
    if state is None:
        raise typer.Exit(NOT_RUNNING)
    if any(part["state"] not in ("ready", "done") for part in state["services"]):
        raise typer.Exit(1)


def _print_table(state: dict[str, Any]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table("part", "state", "pid", "restarts", "address or last word", box=None)
    for part in state["services"]:
        pid = str(part["pid"] or "")
        restarts = str(part["restarts"]) if part["kind"] == "service" else ""
        last = part["address"] if part["state"] == "ready" else part["detail"]
        table.add_row(part["name"], part["state"], pid, restarts, last)
    Console().print(table)
