"""A fresh store and a writer in it; a dispatcher on it, and servers of those it tells."""

from collections.abc import AsyncIterator

import pytest

from hub.store import db
from hub.testing import Database
from tests.integration.store.delivery_stage import Receiver, Stage, Time, serve
from tests.integration.store.stage import Store


@pytest.fixture
async def store(database: Database) -> AsyncIterator[Store]:
    connection = await db.connect(database.dsn("writer"))
    yield Store(database, connection)
    await connection.close()


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    found, runner = await serve()
    yield found
    await runner.cleanup()


@pytest.fixture
async def other() -> AsyncIterator[Receiver]:
    found, runner = await serve()
    yield found
    await runner.cleanup()


@pytest.fixture
def clock() -> Time:
    return Time()


@pytest.fixture
async def stage(store: Store, clock: Time) -> AsyncIterator[Stage]:
    settings = store.database.settings.model_copy(update={"local_receivers": True})
    found = Stage(settings, clock)
    await found.open()
    await found.go(1)
    yield found
    await found.close()
