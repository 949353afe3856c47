"""People who work in the console: who they are, their role, their password.

Not here: sessions (`hub.store.sessions`), and what a route lets a role do (`hub_api`).
"""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from hub.errors import HubError
from hub.store import audit, passwords
from hub.store.audit import Deed
from hub.store.db import Connection, queries
from hub.store.keys import SCOPES

READING = frozenset({"members:read", "orders:read", "stock:read", "coupons:read"})
_SERVICE = READING | {
    "member:all_channels",
    "members:write",
    "orders:write",
    "coupons:write",
    "points:write",
    "cases:read",
    "cases:write",
}
_OPERATOR = _SERVICE | {
    "allotments:write",
    "dead_letters:read",
    "dead_letters:write",
    "reservations:write",
    "rules:read",
    "rules:write",
    "subscriptions:read",
}
ROLES: dict[str, frozenset[str]] = {
    "viewer": READING | {"member:all_channels", "cases:read"},
    "clerk": frozenset({"stock:read", "coupons:read"}),
    "service": _SERVICE,
    "operator": _OPERATOR,
    "approver": _OPERATOR | {"approvals:write"},
    "developer": READING
    | {"cases:read", "rules:read", "rules:write", "subscriptions:read", "subscriptions:write"},
    "admin": frozenset({"admin"}),
}
"""role -> the scopes it has, of those that keys have too. Nobody may approve what they asked for,
whatever their role (`hub.store.approvals`)."""
NAME_LENGTH_MAX = 100
_ID = re.compile(r"^[a-z0-9][a-z0-9._-]{0,63}$")
_PLACE = re.compile(r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")
"""What is done at a counter is told as the shop's of that name."""


class BadPersonError(HubError):
    """A person can't be added or found so."""


@dataclass(frozen=True, slots=True)
class Person:
    """A person as it is kept; `place`: the only store a clerk works in."""

    person_id: str
    name: str
    role: str
    place: str | None
    created_at: datetime
    last_login_at: datetime | None
    disabled_at: datetime | None

    @property
    def scopes(self) -> frozenset[str]:
        """What the person's role may do."""
        return ROLES[self.role]


@dataclass(frozen=True, slots=True)
class NewPerson:
    """A person to add."""

    person_id: str
    name: str
    role: str
    place: str | None = None

    def __post_init__(self) -> None:
        if not _ID.match(self.person_id):
            raise BadPersonError(
                f"{self.person_id!r} can't be a name of login",
                mend="use small letters, digits, dot, - and _, at most 64 characters",
            )
        if not 0 < len(self.name) <= NAME_LENGTH_MAX or not self.name.isprintable():
            raise BadPersonError(f"a name has 1 to {NAME_LENGTH_MAX} printable characters")
        check_role(self.role, self.place)


def check_role(role: str, place: str | None) -> None:
    """BadPersonError unless there is such a role, and a place if and only if it needs one."""
    if role not in ROLES:
        raise BadPersonError(f"unknown role {role!r}", mend=f"use one of {', '.join(ROLES)}")
    if (role == "clerk") != (place is not None):
        raise BadPersonError("a clerk has a store, and nobody else", mend="see --place")
    if place is not None and not _PLACE.match(place):
        raise BadPersonError(f"{place!r} can't be the name of a place")


async def add(connection: Connection, new: NewPerson, password: str, actor: str) -> None:
    """Keep a new person; the audit has it. BadPersonError if the name is taken."""
    _check_password(password)
    values = (new.person_id, new.name, new.role, new.place, passwords.digest_of(password))
    async with connection.transaction():
        if await connection.fetchval(queries("people")["create"], *values) is None:
            raise BadPersonError(f"{new.person_id!r} is there already", mend="hub person list")
        deed = Deed(actor, "person.added", _path(new.person_id), detail={"role": new.role})
        await audit.record(connection, deed)


async def find(connection: Connection, person_id: str) -> tuple[Person, str] | None:
    """A person, disabled or not, with what is kept of its password."""
    row = await connection.fetchrow(queries("people")["find"], person_id)
    return (person_of(row), row["password_hash"]) if row is not None else None


async def all_people(connection: Connection) -> list[Person]:
    """Everybody, by name of login; at most 10,000."""
    return [person_of(row) for row in await connection.fetch(queries("people")["all_people"])]


async def set_role(
    connection: Connection, person_id: str, role: str, place: str | None, actor: str
) -> None:
    """Give a person another role. It counts from the next request on."""
    check_role(role, place)
    await _change(connection, "set_role", (person_id, role, place), "person.role_changed", actor)


async def set_password(connection: Connection, person_id: str, password: str, actor: str) -> None:
    """Give a person another password, and end its sessions."""
    _check_password(password)
    values = (person_id, passwords.digest_of(password))
    await _change(connection, "set_password", values, "person.password_changed", actor)


async def disable(connection: Connection, person_id: str, actor: str) -> None:
    """Let a person in no more: its sessions end at once."""
    await _change(connection, "disable", (person_id,), "person.disabled", actor)


async def enable(connection: Connection, person_id: str, actor: str) -> None:
    """Let a person in again that was disabled."""
    await _change(connection, "enable", (person_id,), "person.enabled", actor)


def person_of(row: Any) -> Person:
    """A row of people as a person."""
    names = ("person_id", "name", "role", "place", "created_at", "last_login_at", "disabled_at")
    return Person(**{name: row[name] for name in names})


async def _change(
    connection: Connection, query: str, values: tuple[Any, ...], action: str, actor: str
) -> None:
    person_id = values[0]
    async with connection.transaction():
        if await connection.fetchval(queries("people")[query], *values) is None:
            raise BadPersonError(f"nobody is called {person_id!r}", mend="see hub person list")
        await connection.execute(queries("sessions")["close_all"], person_id)
        detail = {"role": values[1]} if query == "set_role" else {}
        await audit.record(connection, Deed(actor, action, _path(person_id), detail=detail))


def _check_password(password: str) -> None:
    if not passwords.is_fit(password):
        least, most = passwords.PASSWORD_LENGTH_MIN, passwords.PASSWORD_LENGTH_MAX
        raise BadPersonError(f"a password has {least} to {most} characters")


def _path(person_id: str) -> str:
    return f"people/{person_id}"


assert all(scopes <= set(SCOPES) for scopes in ROLES.values())
