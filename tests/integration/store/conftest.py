"""A fresh store and a writer in it."""

from collections.abc import AsyncIterator

import pytest

from hub.store import db
from hub.testing import Database
from tests.integration.store.stage import Store


@pytest.fixture
async def store(database: Database) -> AsyncIterator[Store]:
    connection = await db.connect(database.dsn("writer"))
    yield Store(database, connection)
    await connection.close()
