"""Jobs that end what is due: on a fresh database, in this process."""

import asyncio
from datetime import UTC, datetime
from typing import Any

import dagster as dg
import psycopg
import pytest

from hub.settings import Settings
from hub.store import apply, check, db
from hub.store.sealing import Vault
from hub_assets.defs.jobs.overdue import overdue_jobs
from tests.event_maker import Shop, record

pytestmark = pytest.mark.filterwarnings("ignore")  # Dagster warns of its own matters

WEB = Shop("web")
MIDNIGHT = "2026-03-01T16:00:00+00:00"


def take(hub: Settings, *bodies: bytes) -> None:
    """Store events as the streams do."""

    async def store() -> None:
        connection = await db.connect(hub.dsn("writer"))
        async with connection.transaction():
            told = [record(body) for body in bodies]
            await apply.apply(connection, Vault(hub.secret()), told, "cluster")
        await connection.close()

    asyncio.run(store())


def rows(hub: Settings, query: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(hub.dsn("reader")) as connection:
        return connection.execute(query.encode()).fetchall()


@pytest.fixture
def definitions(hub: Settings) -> dg.Definitions:
    loaded = overdue_jobs()
    assert isinstance(loaded, dg.Definitions)
    return loaded


def run(
    definitions: dg.Definitions, instance: dg.DagsterInstance, job: str, **tags: str
) -> dict[str, int]:
    """Run a job; asset -> decisions it made."""
    found = definitions.resolve_job_def(job)
    result = found.execute_in_process(
        instance=instance, tags={f"dagster/{k}": tags[k] for k in tags}
    )
    made = [event.materialization for event in result.get_asset_materialization_events()]
    return {one.asset_key.path[-1]: int(str(one.metadata["decisions"].value)) for one in made}


def test_expiry_job_runs_twice_with_the_same_result(
    hub: Settings, definitions: dg.Definitions, instance: dg.DagsterInstance
) -> None:
    coupon = {"code": "CAKE-1", "kind": "exchange", "paid_amount": "168.00", "currency": "CNY"}
    take(hub, WEB.body("coupon.issued", 0, **coupon, valid_until=MIDNIGHT, terms={}))
    nouns = ("reservations", "deposits", "coupons", "verifications")
    nothing = {f"{noun}_ended": 0 for noun in nouns}
    assert run(definitions, instance, "end_overdue") == nothing | {"coupons_ended": 1}
    assert run(definitions, instance, "end_overdue") == nothing
    (ended,) = rows(hub, "select status, ended_at from hub.coupons")
    assert ended == ("expired", datetime.fromisoformat(MIDNIGHT))
    results = asyncio.run(check.run(hub.dsn("writer")))
    assert not [result.name for result in results if result.violations]


def test_days_that_were_skipped_are_closed_in_one_run(
    hub: Settings, definitions: dg.Definitions, instance: dg.DagsterInstance
) -> None:
    schedule = definitions.resolve_schedule_def("close_missing_days")
    repository = definitions.get_repository_def()

    def requested(day: int) -> dg.RunRequest | None:
        with dg.build_schedule_context(
            instance,
            scheduled_execution_time=datetime(2026, 3, day, 16, 10, tzinfo=UTC),
            repository_def=repository,
        ) as context:
            wanted = schedule.evaluate_tick(context).run_requests
        return wanted[0] if wanted else None

    first = requested(1)
    assert first is not None
    assert first.run_key == "2026-03-01..2026-03-01"
    span = {name.removeprefix("dagster/"): value for name, value in first.tags.items()}
    span = {name: value for name, value in span.items() if name.startswith("asset_partition")}
    run(definitions, instance, "close_days", **span)
    assert requested(1) is None
    late = requested(5)
    assert late is not None
    assert late.run_key == "2026-03-02..2026-03-05"
    span = {"asset_partition_range_start": "2026-03-02", "asset_partition_range_end": "2026-03-05"}
    run(definitions, instance, "close_days", **span)
    for name in ("points", "tiers"):
        done = instance.get_materialized_partitions(dg.AssetKey(["upkeep", f"{name}_ended"]))
        assert done == {f"2026-03-0{day}" for day in range(1, 6)}
    assert requested(5) is None


def test_the_logs_partitions_are_made_ahead_once(hub: Settings) -> None:
    from hub_assets.upkeep import make_log_partitions

    with psycopg.connect(hub.dsn("owner"), autocommit=True) as owner:
        last = owner.execute(
            "select max(relname) from pg_class where relname like 'events\\_2%' and relkind = 'r'"
        ).fetchone()
        assert last is not None
        owner.execute(f"drop table log.{last[0]}".encode())
    assert make_log_partitions()["made"].value == 1
    assert make_log_partitions()["made"].value == 0
