"""Some days of real input, built by increments: every mart and metric equals the set's own tables.

What they must hold is computed by code that shares nothing with the hub (`hub.demo.oracle`).
"""

import dataclasses
from collections.abc import Sequence
from datetime import date

import pytest

from hub.demo import journey, source
from hub.demo.disturb import Disturbance, Disturbed
from hub.demo.oracle import comparing
from hub.demo.oracle.journey import Journey
from hub.store import db, overdue
from hub.testing import Database
from hub_assets.testing import MARTS, Warehouse
from tests.event_maker import record
from tests.integration.store.stage import Store

pytestmark = [pytest.mark.filterwarnings("ignore"), pytest.mark.timeout(200)]

FIRST, LAST = date(2017, 11, 20), date(2017, 11, 22)
HOUSEHOLDS = range(1, 301)
SEED = 5
WRITE_RECORDS = 500
OVERDUE_TIMEOUT_S = 60.0


def some(tables: source.Tables) -> source.Tables:
    """The same of some households."""
    names = ("lines", "redemptions", "demographics", "campaign_households", "visits")
    kept = {
        name: table[table["household_id"].isin(HOUSEHOLDS)]
        for name in names
        if (table := getattr(tables, name)) is not None
    }
    return dataclasses.replace(tables, **kept)


async def feed(store: Store, bodies: Sequence[bytes]) -> None:
    """Take them as the streams do, in writes of some hundred."""
    for begin in range(0, len(bodies), WRITE_RECORDS):
        await store.take(*map(record, bodies[begin : begin + WRITE_RECORDS]))


async def test_every_mart_and_metric_equals_the_source_after_increments(
    database: Database, warehouse: Warehouse
) -> None:
    tables = some(source.load(source.Window(FIRST, LAST)))
    disturbed = Disturbed(journey.records(tables, SEED), Disturbance(SEED))
    bodies = [one.value for one in disturbed]
    connection = await db.connect(database.dsn("writer"))
    try:
        store = Store(database, connection)
        await feed(store, bodies[: len(bodies) // 2])
        warehouse.build()
        await feed(store, bodies[len(bodies) // 2 :])
    finally:
        await connection.close()
    coupons = next(one for one in overdue.OVERDUE if one.name == "coupons")
    ended = await overdue.end_all(database.dsn("writer"), store.vault, coupons, OVERDUE_TIMEOUT_S)
    assert ended.is_done
    assert warehouse.check(), warehouse.results
    sold = Journey(FIRST, LAST, SEED, database.settings.business_zone, HOUSEHOLDS)
    compared = comparing.compare(database.settings.dsn("reader"), sold)
    assert compared.differences == []
    assert compared.is_equal
    assert set(compared.rows) == MARTS | {comparing.METRICS}
    assert compared.members == len(sold.homes)
