"""Keeps what a comparison found, in schema `recon` of the warehouse: its history, and the rows.

Written by the role dbt, read by the role reader; nothing in `hub` is touched.
"""

from dataclasses import dataclass
from datetime import datetime

import psycopg
from psycopg import sql
from psycopg.types.json import Json

from hub.settings import ROLE_NAMES
from hub_assets.recon.comparing import Drift, Outcome

CONNECT_TIMEOUT_S = 10
DRIFTS_MAX = 10_000
"""Rows kept of one comparison; the counts are of all."""
RUNS_KEPT = 30
"""Comparisons whose rows are kept; their counts are kept for good."""
TABLES = """
create schema if not exists recon;
create table if not exists recon.comparisons (
    name text not null,
    run_id text not null,
    channel text not null,
    noun text not null,
    compared_at timestamptz not null,
    matched bigint not null,
    differing bigint not null,
    only_here bigint not null,
    only_there bigint not null,
    unreadable bigint not null,
    constraint comparisons_pk primary key (name, run_id)
);
create table if not exists recon.drift (
    name text not null,
    run_id text not null,
    line int not null,
    kind text not null,
    key jsonb not null,
    why text not null,
    ours jsonb,
    theirs jsonb,
    repair text not null,
    constraint drift_pk primary key (name, run_id, line)
);
"""


@dataclass(frozen=True)
class Comparison:
    """Which comparison it was. run_id: of Dagster's run."""

    name: str
    run_id: str
    channel: str
    noun: str
    compared_at: datetime


def keep(dsn: str, comparison: Comparison, outcome: Outcome) -> None:
    """Keep it in one transaction; the same run kept twice is kept once. dsn: of the role dbt."""
    name, run_id = comparison.name, comparison.run_id
    with psycopg.connect(dsn, connect_timeout=CONNECT_TIMEOUT_S) as connection:
        connection.execute("select pg_advisory_xact_lock(hashtext('hub.recon'))")
        connection.execute(TABLES)
        reader = sql.Identifier(ROLE_NAMES["reader"])
        connection.execute(sql.SQL("grant usage on schema recon to {}").format(reader))
        connection.execute(
            sql.SQL("grant select on all tables in schema recon to {}").format(reader)
        )
        for table in ("comparisons", "drift"):
            forget = sql.SQL("delete from recon.{} where name = %s and run_id = %s")
            connection.execute(forget.format(sql.Identifier(table)), [name, run_id])
        connection.execute(
            "insert into recon.comparisons values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
            [
                *(name, run_id, comparison.channel, comparison.noun, comparison.compared_at),
                outcome.matched,
                *map(outcome.count, ("differs", "only_here", "only_there", "unreadable")),
            ],
        )
        with connection.cursor().copy("copy recon.drift from stdin") as copy:
            for line, drift in enumerate(outcome.drifts[:DRIFTS_MAX]):
                copy.write_row((name, run_id, line, *_columns(drift)))
        connection.execute(
            "delete from recon.drift where name = %s and run_id not in ("
            "select run_id from recon.comparisons where name = %s"
            " order by compared_at desc limit %s)",
            [name, name, RUNS_KEPT],
        )


def _columns(drift: Drift) -> tuple[object, ...]:
    ours = Json(drift.ours) if drift.ours is not None else None
    theirs = Json(drift.theirs) if drift.theirs is not None else None
    return (drift.kind, Json(drift.key), drift.why, ours, theirs, drift.repair)
