"""What ends by time is ended by the API: every job that there is, each by itself."""

import contextlib
import inspect
import pkgutil
from collections.abc import AsyncIterator
from importlib import import_module
from typing import Any

import pytest

import hub.store
from hub.errors import Refused
from hub_api import overdue

ENDINGS = ("_overdue", "_due")


class Connection:
    """Counts transactions."""

    def __init__(self) -> None:
        self.transactions = 0

    @contextlib.asynccontextmanager
    async def transaction(self) -> AsyncIterator[None]:
        self.transactions += 1
        yield

    def is_closed(self) -> bool:
        return False


def jobs() -> dict[str, Any]:
    """The functions of the store that end what is due, by where they stand."""
    found = {}
    for module in pkgutil.iter_modules(hub.store.__path__):
        named = import_module(f"hub.store.{module.name}")
        for name, job in inspect.getmembers(named, inspect.iscoroutinefunction):
            is_own = job.__module__ == named.__name__
            if is_own and name.endswith(ENDINGS) and not name.startswith("_"):
                found[f"{named.__name__}.{name}"] = job
    return found


FOUND = sorted(jobs())


@pytest.fixture
def called(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The jobs that were called, none of which does anything."""
    names: list[str] = []
    for where in FOUND:

        async def job(*_: Any, where: str = where) -> int:
            names.append(where)
            return 1

        monkeypatch.setattr(where, job)
    return names


async def test_every_job_that_ends_what_is_overdue_is_called(called: list[str]) -> None:
    connection: Any = Connection()
    vault: Any = None
    assert await overdue.end_once(connection, vault) == len(FOUND) > 0
    assert sorted(called) == FOUND
    assert connection.transactions == len(FOUND)


async def test_a_job_that_fails_keeps_no_other_from_ending(
    called: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fails(*_: Any) -> int:
        raise Refused("not_possible", "it ended meanwhile")

    monkeypatch.setattr("hub.store.reservations.expire_overdue", fails)
    connection: Any = Connection()
    vault: Any = None
    assert await overdue.end_once(connection, vault) == len(FOUND) - 1
    assert len(called) == len(FOUND) - 1
