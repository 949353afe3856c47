"""Builds the whole warehouse now, compares it with the channels' own lists, in this process, and
says what came of it.

For `hub demo` and tests: the same graph, checks and events as a run that Dagster's daemon starts,
without waiting for one. `python -m hub_assets.materialize` prints the result as one line of JSON.
"""

import dataclasses
import json
import os
import sys
import time
from dataclasses import dataclass

import dagster as dg
import psycopg
from psycopg import sql

from hub import settings as hub_settings
from hub.errors import HubError
from hub.settings import Settings
from hub_assets import events, streams
from hub_assets.components import reconciliation
from hub_assets.definitions import defs

JOB = "refresh_marts"
# What happens is kept as events; on the screen only what goes wrong.
QUIET = {"loggers": {"console": {"config": {"log_level": "ERROR"}}}}
STATEMENT_TIMEOUT_MS = 60_000
CONNECTION_AGE_MAX_S = 3600
CONNECTIONS_MAX = 10


class NoDagsterError(HubError):
    """Dagster's home is not known."""


@dataclass(frozen=True)
class RefreshResult:
    """What a refresh came to."""

    run_id: str
    rows: dict[str, int]
    """Mart -> rows."""
    checks_passed: int
    checks_failed: int
    failed: list[str]
    """Names of the checks that failed, sorted."""
    lag_events: int
    """Events that were in Kafka and not yet in the marts, in all."""
    compared: dict[str, dict[str, int]]
    """Comparison with a channel's own list -> rows that matched, and that drift in each way."""
    success: bool
    wall_s: float


def refresh_marts(settings: Settings) -> RefreshResult:
    """Observe the streams, build all models, run all checks, compare with the lists of channels
    that are known; all of it shows in Dagster's pages.

    DAGSTER_HOME must name the instance. Raises NoDagsterError, psycopg.Error and Kafka's errors.
    A failed check is a result, not an error.
    """
    if "DAGSTER_HOME" not in os.environ:
        raise NoDagsterError(where="DAGSTER_HOME", mend="set it to the home of a running Dagster")
    started = time.monotonic()
    with dg.DagsterInstance.get() as instance:
        # Keeps connections open: otherwise each of some 1,000 small writes makes one, 10 ms each.
        instance.optimize_for_webserver(STATEMENT_TIMEOUT_MS, CONNECTION_AGE_MAX_S, CONNECTIONS_MAX)
        loaded = defs()
        tables = streams.tables(loaded.resolve_asset_graph())
        lag = _report_streams(settings, instance, tables)
        job = loaded.resolve_job_def(JOB)
        run = job.execute_in_process(run_config=QUIET, instance=instance, raise_on_error=False)
        runs = [run, *_reconcile(loaded, instance)]
    checks = [check for one in runs for check in one.get_asset_check_evaluations()]
    failed = sorted(check.check_name for check in checks if not check.passed)
    return RefreshResult(
        run_id=run.run_id,
        rows=_rows(settings),
        checks_passed=len(checks) - len(failed),
        checks_failed=len(failed),
        failed=failed,
        lag_events=lag,
        compared=_compared(runs[1:]),
        success=all(one.success for one in runs) and not failed,
        wall_s=round(time.monotonic() - started, 1),
    )


def _reconcile(
    loaded: dg.Definitions, instance: dg.DagsterInstance
) -> list[dg.ExecuteInProcessResult]:
    """What a schedule would start of itself: lists that nobody named have none."""
    return [
        loaded.resolve_job_def(schedule.job_name).execute_in_process(
            run_config=QUIET, instance=instance, raise_on_error=False
        )
        for schedule in loaded.schedules or ()
        if isinstance(schedule, dg.ScheduleDefinition)
        and schedule.job_name.startswith(reconciliation.JOB_PREFIX)
    ]


def _compared(runs: list[dg.ExecuteInProcessResult]) -> dict[str, dict[str, int]]:
    """By the run's assets: a list that could not be read has none."""
    return {
        made.asset_key.path[-1]: {
            name: int(made.metadata[name].value)  # type: ignore[arg-type]  # counts are whole
            for name in ("matched", *reconciliation.COUNTED)
        }
        for run in runs
        for event in run.get_asset_materialization_events()
        for made in [event.step_materialization_data.materialization]
    }


def _report_streams(settings: Settings, instance: dg.DagsterInstance, tables: events.Tables) -> int:
    measured = streams.measure(settings)
    for event in events.report(measured, tables, events.Cursor(), time.time()).events:
        instance.report_runless_asset_event(event)
    return sum(state.lag for state in measured.values())


def _rows(settings: Settings) -> dict[str, int]:
    """Exact counts, as a reader of the marts sees them."""
    with psycopg.connect(settings.dsn("reader"), connect_timeout=10) as connection:
        names = connection.execute(
            "select viewname from pg_views where schemaname = 'marts' and viewname != 'builds'"
            " order by 1"
        ).fetchall()
        counts = {}
        for (name,) in names:
            query = sql.SQL("select count(*) from marts.{}")
            row = connection.execute(query.format(sql.Identifier(name))).fetchone()
            counts[name] = row[0] if row else 0
    return counts


def main() -> int:
    """Refresh with the settings of the environment; 0 if all went well and all checks passed."""
    result = refresh_marts(hub_settings.load())
    print(json.dumps(dataclasses.asdict(result)))  # noqa: T201  the result is this program's output
    return 0 if result.success else 1


if __name__ == "__main__":
    sys.exit(main())
