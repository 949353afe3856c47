"""How dbt is run: where its project lies, how it reaches the database, which snapshot a run reads.

Not here: the models (`dbt_project`), and what Dagster makes of them (`hub_assets.warehouse`).
"""

import contextlib
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import unquote, urlsplit

import psycopg

from hub.settings import Settings

PROJECT_DIR = Path(__file__).resolve().parents[1] / "dbt_project"
SNAPSHOT_VARIABLE = "HUB_DBT_SNAPSHOT"
CONNECT_TIMEOUT_S = 10
# A whole year builds in well under a minute; a run this long hangs, and would hold back vacuum.
RUN_TIMEOUT_S = 3600


def target(settings: Settings) -> Path:
    """Where dbt keeps what it parsed and compiled for this hub."""
    return settings.data_dir / "dbt"


def environment(settings: Settings) -> dict[str, str]:
    """The variables that `dbt_project/profiles.yml` reads."""
    place = urlsplit(settings.dsn("dbt"))
    return {
        "HUB_DBT_HOST": place.hostname or "127.0.0.1",
        "HUB_DBT_PORT": str(place.port or 5432),
        "HUB_DBT_USER": unquote(place.username or ""),
        "HUB_DBT_PASSWORD": unquote(place.password or ""),
        "HUB_DBT_NAME": place.path.lstrip("/"),
        "HUB_BUSINESS_ZONE": settings.business_zone,
        "DBT_TARGET_PATH": str(target(settings)),
        "DBT_LOG_PATH": str(target(settings) / "logs"),
        "DBT_PROFILES_DIR": str(PROJECT_DIR),
        "DBT_PROJECT_DIR": str(PROJECT_DIR),
        "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
    }


@contextlib.contextmanager
def run_snapshot(dsn: str) -> Iterator[str]:
    """Export one snapshot for all marts of a run; it lives as long as the block.

    dsn: of the role dbt. One run at a time: the next waits here, and so reads a newer snapshot.
    The transaction only reads, and holds back vacuum while it is open.
    """
    with psycopg.connect(dsn, connect_timeout=CONNECT_TIMEOUT_S) as connection:
        for timeout in ("idle_in_transaction_session_timeout", "lock_timeout"):
            connection.execute("select set_config(%s, %s, false)", [timeout, f"{RUN_TIMEOUT_S}s"])
        connection.execute("select pg_advisory_lock(hashtext('hub.marts'))")
        connection.commit()
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        row = connection.execute("select pg_export_snapshot()").fetchone()
        assert row is not None
        yield row[0]
        connection.rollback()


@contextlib.contextmanager
def variables(values: Mapping[str, str]) -> Iterator[None]:
    """Set environment variables for the block: dbt and its child processes read them there."""
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
