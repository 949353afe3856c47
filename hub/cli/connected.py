"""What commands do with a document and a connection: read the one, borrow the other.

Not here: what they do with it.
"""

import asyncio
import getpass
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar

from hub import settings
from hub.cli.screen import unreachable_in_words
from hub.domain.documents import BadDocument
from hub.errors import SettingsError
from hub.settings import Role
from hub.store import db

T = TypeVar("T")


def with_hub(work: Callable[[db.Connection], Awaitable[T]], role: Role) -> T:
    """What `work` makes of a connection to this hub's database; says so if it can't be reached."""
    hub = settings.load()

    async def connected() -> T:
        connection = await db.connect(hub.dsn(role))
        try:
            return await work(connection)
        finally:
            await connection.close()

    with unreachable_in_words():
        return asyncio.run(connected())


def try_on_hub(work: Callable[[db.Connection], Awaitable[T]], role: Role = "reader") -> T:
    """The same on one snapshot, in which nothing can be written. The writer may open what is
    sealed."""

    async def on_snapshot(connection: db.Connection) -> T:
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            return await work(connection)

    return with_hub(on_snapshot, role)


def read_json(file: Path) -> Any:
    """What a file holds; SettingsError names the file if that is no JSON."""
    try:
        return json.loads(file.read_bytes())
    except ValueError as error:
        raise SettingsError(f"no JSON: {error}", where=str(file)) from error


def read_document(file: Path, reader: Callable[[Any], T]) -> T:
    """What a noun's reader makes of a file; SettingsError names the file and the field."""
    document = read_json(file)
    try:
        return reader(document)
    except BadDocument as bad:
        raise SettingsError(f"{bad.field}: {bad.reason}", where=str(file)) from bad


def actor() -> str:
    """Who does it, for the audit: the account of the command line."""
    return f"cli:{getpass.getuser()}"
