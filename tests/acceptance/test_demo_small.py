"""A day of real input through everything while parts are killed: the marts equal the tables."""

import asyncio
from datetime import date

import pytest

from hub.demo import feed, journey, marts, progress, source
from hub.demo.chaos import VICTIMS, Chaos, spread
from hub.demo.disturb import Disturbance, Disturbed
from hub.demo.oracle import comparing
from hub.demo.oracle.journey import Journey
from hub.local.supervisor import Supervisor
from hub.settings import Settings
from hub.store import check

PARTS = ("postgres", "migrations", "kafka", "topics", "worker", "dagster-home")
DAY = source.Window(date(2017, 11, 24), date(2017, 11, 24))
SEED = 11
EVENTS_PER_S = 800.0
START_TIMEOUT_S = 180
STALLED_AFTER_S = 90


@pytest.mark.timeout(420)
def test_the_marts_equal_the_source_whatever_is_killed_meanwhile(own_settings: Settings) -> None:
    with Supervisor(own_settings, only=PARTS) as hub:
        hub.wait_ready(timeout_s=START_TIMEOUT_S)
        tables = source.load(DAY)
        disturbed = Disturbed(journey.records(tables, SEED), Disturbance(SEED))
        chaos = Chaos(hub, spread(journey.count(tables)))
        fed = asyncio.run(
            feed.feed(own_settings.brokers, disturbed, feed.Pace(EVENTS_PER_S), chaos.strike)
        )
        progress.wait_applied(own_settings, STALLED_AFTER_S)
        assert chaos.killed == list(VICTIMS)
        assert all(hub.restarts(name) for name in set(VICTIMS))

        refreshed = marts.refresh(own_settings)
        assert refreshed.failed == ()
        assert refreshed.rows["members"] == source.HOUSEHOLDS
        day = Journey(DAY.first, DAY.last, SEED, own_settings.business_zone)
        compared = comparing.compare(own_settings.dsn("reader"), day)
        assert (compared.differences, compared.is_equal) == ([], True)
        results = asyncio.run(check.run(own_settings.dsn("writer")))
        assert {result.name: result.violations for result in results if result.violations} == {}

        with progress.connect(own_settings) as connection:
            counted = connection.execute("select outcome, count(*) from log.inbox group by 1")
            outcomes = dict(counted.fetchall())
        assert set(outcomes) == {"applied"}
        assert outcomes["applied"] == fed.events - disturbed.twice
