"""The command line `hub`. One module a command; only the one that is asked for is imported.

Not here: what the commands do, which is in the rooms they call.
"""

import importlib
import sys
from collections.abc import Callable

import typer

# name -> (module, what it does). A module has `run` (one command) or `app` (a group).
COMMANDS = {
    "up": ("hub.cli.up", "Start all parts and watch over them until Ctrl-C."),
    "down": ("hub.cli.down", "Stop the hub of this data folder."),
    "status": ("hub.cli.status", "Show each part's state, address and log."),
    "doctor": ("hub.cli.doctor", "Say what is wrong with this machine and how to mend it."),
    "demo": ("hub.cli.demo", "Run the whole hub on real input and prove the result."),
    "samples": ("hub.cli.samples", "Run a website and a mini-program on the running hub."),
    "replay": ("hub.cli.replay", "Rebuild the state from the log, compare, swap."),
    "check": ("hub.cli.check", "Count what breaks an invariant."),
    "marts": ("hub.cli.marts", "Say which build of the marts readers see."),
    "bench": ("hub.cli.bench", "Measure one part."),
    "dead-letters": ("hub.cli.dead_letters", "Events that could not be applied."),
    "trace": ("hub.cli.trace", "Show an event's way over all hops, with the time of each."),
    "key": ("hub.cli.keys", "Keys of the API."),
    "person": ("hub.cli.people", "People who may log in to the console."),
    "channel": ("hub.cli.channels", "Connect platforms by packs: new, test, diff, apply, list."),
    "config": ("hub.cli.config", "Publish configuration, and see its versions."),
    "rule": ("hub.cli.rules", "Write, try, publish and pause sync rules."),
    "points": ("hub.cli.points", "Try a points rule on the orders there are."),
    "tier": ("hub.cli.tiers", "Try a tier scheme on the members there are."),
    "member": ("hub.cli.members", "Try a matching policy on the members there are."),
}


def app() -> None:
    """The entry point of `hub`."""
    chosen = next((word for word in sys.argv[1:] if not word.startswith("-")), None)
    build(chosen)()


def build(chosen: str | None) -> typer.Typer:
    """The command line with `chosen` in full and the others by name and help only."""
    root = typer.Typer(
        name="hub",
        help="A unified commerce data hub. Settings are variables HUB_…; see the README.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_show_locals=False,
    )
    for name, (module, summary) in COMMANDS.items():
        if name == chosen:
            _mount(root, name, summary, importlib.import_module(module))
        else:
            root.command(name, help=summary)(_stub)
    return root


def _mount(root: typer.Typer, name: str, summary: str, module: object) -> None:
    group: typer.Typer | None = getattr(module, "app", None)
    if group is not None:
        root.add_typer(group, name=name, help=summary)
        return
    run: Callable[..., None] = getattr(module, "run")  # noqa: B009
    root.command(name, help=summary)(run)


def _stub() -> None:
    """Stands for a command that was not asked for."""
