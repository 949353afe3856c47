"""`hub person`: who may log in to the console, and as what."""

import sys
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from hub.cli.connected import actor, with_hub
from hub.cli.screen import Json, errors_in_words, note, put_json, say
from hub.store import db, passwords, people
from hub.store.people import NewPerson

app = typer.Typer(no_args_is_help=True)
Login = Annotated[str, typer.Argument(help="The name of login.")]
Role = Annotated[str, typer.Option(help=f"One of {', '.join(people.ROLES)}.")]
Place = Annotated[str | None, typer.Option(help="A clerk's store.")]
FromStdin = Annotated[
    bool, typer.Option("--password-stdin", help="Read the password from standard input.")
]


@app.command()
def add(  # noqa: PLR0913 - the options of a command line
    login: Login,
    role: Role,
    name: Annotated[str | None, typer.Option(help="How the console calls the person.")] = None,
    place: Place = None,
    password_stdin: FromStdin = False,
    as_json: Json = False,
) -> None:
    """Add a person. Without --password-stdin a password is made and printed, once."""
    password = _password(password_stdin)
    with errors_in_words(as_json):
        new = NewPerson(login, name or login, role, place)
        with_hub(lambda connection: people.add(connection, new, password, actor()), "writer")
    _say_password(login, password, password_stdin, as_json)


@app.command("list")
def list_people(as_json: Json = False) -> None:
    """List everybody who may, or might, log in."""
    with errors_in_words(as_json):
        found = with_hub(people.all_people, "writer")
    if as_json:
        put_json([asdict(person) for person in found])
        return
    table = Table("login", "name", "role", "store", "last login", "disabled")
    for person in found:
        moments = [
            moment.strftime("%Y-%m-%d %H:%M UTC") if moment else "-"
            for moment in (person.last_login_at, person.disabled_at)
        ]
        table.add_row(person.person_id, person.name, person.role, person.place or "-", *moments)
    Console().print(table)


@app.command()
def role(login: Login, role: Role, place: Place = None, as_json: Json = False) -> None:
    """Give a person another role; who is logged in has to log in again."""
    _change(
        as_json,
        lambda connection: people.set_role(connection, login, role, place, actor()),
        {"login": login, "role": role},
    )


@app.command()
def password(login: Login, password_stdin: FromStdin = False, as_json: Json = False) -> None:
    """Give a person another password; its sessions end."""
    chosen = _password(password_stdin)
    with errors_in_words(as_json):
        with_hub(lambda found: people.set_password(found, login, chosen, actor()), "writer")
    _say_password(login, chosen, password_stdin, as_json)


@app.command()
def disable(login: Login, as_json: Json = False) -> None:
    """Let a person in no more; its sessions end at once."""
    _change(
        as_json,
        lambda connection: people.disable(connection, login, actor()),
        {"login": login, "is_disabled": True},
    )


@app.command()
def enable(login: Login, as_json: Json = False) -> None:
    """Let a person in again that was disabled."""
    _change(
        as_json,
        lambda connection: people.enable(connection, login, actor()),
        {"login": login, "is_disabled": False},
    )


def _change(
    as_json: bool, work: Callable[[db.Connection], Awaitable[None]], done: dict[str, object]
) -> None:
    with errors_in_words(as_json):
        with_hub(work, "writer")
    if as_json:
        put_json(done)
        return
    say(", ".join(f"{name} {value}" for name, value in done.items()))


def _password(from_stdin: bool) -> str:
    return sys.stdin.readline().rstrip("\r\n") if from_stdin else passwords.generate()


def _say_password(login: str, chosen: str, was_given: bool, as_json: bool) -> None:
    if as_json:
        put_json({"login": login} | ({} if was_given else {"password": chosen}))
        return
    if was_given:
        say(f"{login} may log in.")
        return
    say(chosen)
    note(f"The password of {login}: only its digest is kept, it can't be shown again.")
