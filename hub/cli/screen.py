"""What all commands share: how errors and JSON are printed, and the option `--json`."""

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Annotated, Any

import typer

from hub.errors import HubError, UnreachableError

Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")]


def say(text: str) -> None:
    """One line for the reader."""
    typer.echo(text)


def note(text: str) -> None:
    """One line of progress, beside the output."""
    typer.echo(text, err=True)


def put_json(value: Any) -> None:
    """One line of JSON."""
    typer.echo(json.dumps(value, default=str, ensure_ascii=False))
    sys.stdout.flush()


@contextmanager
def counter(as_json: bool, of_what: str) -> Iterator[Callable[[int], None] | None]:
    """Gives a function that shows a growing number on stderr; None for `--json`."""
    if as_json:
        yield None
        return
    from rich.console import Console

    with Console(stderr=True).status(of_what) as line:
        yield lambda done: line.update(f"{done:,} {of_what}")


@contextmanager
def unreachable_in_words() -> Iterator[None]:
    """Turn a database that does not answer into an error with advice."""
    import asyncpg

    try:
        yield
    except (OSError, TimeoutError, asyncpg.PostgresError) as error:
        raise UnreachableError(
            f"Postgres: {type(error).__name__}: {error}", mend="start it: hub up"
        ) from error


@contextmanager
def errors_in_words(as_json: bool = False) -> Iterator[None]:
    """Print a `HubError` as words (or JSON) and leave with status 1."""
    try:
        yield
    except HubError as error:
        if as_json:
            put_json({"error": {"what": error.what, "where": error.where, "mend": error.mend}})
        else:
            typer.secho(f"error: {error.what}", fg="red", err=True)
            for label, text in (("where", error.where), ("mend", error.mend)):
                if text:
                    typer.echo(f"  {label}: {text}", err=True)
        raise typer.Exit(1) from error
