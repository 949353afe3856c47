"""Brings a database to the shape this version needs. The shape itself is in `migrations/sql`.

Migrations run as the owner. The roles (hub_owner, hub_writer, hub_dbt, hub_reader, hub_analyst)
must exist.
"""

from pathlib import Path

from alembic import command, op
from alembic.config import Config
from sqlalchemy import create_engine, text

SQL_DIR = Path(__file__).parent / "migrations" / "sql"


def upgrade(dsn: str) -> None:
    """Run all migrations that the database lacks, then the grants.

    dsn: a libpq URL (postgresql://...) of the owner. Safe to call at every start, and by two
    processes at once: an advisory lock lets one pass.
    """
    engine = create_engine(dsn.replace("postgresql://", "postgresql+psycopg://", 1))
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    try:
        with engine.begin() as connection:
            connection.execute(text("select pg_advisory_xact_lock(hashtext('hub.migrate'))"))
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
            connection.exec_driver_sql(_sql("grants.sql"))
    finally:
        engine.dispose()


def run_sql(name: str, schema: str | None = None) -> None:
    """Run one SQL file inside a revision; unqualified names go to `schema`, made if missing."""
    if schema is not None:
        op.execute(f"create schema if not exists {schema}; set local search_path to {schema}")
    op.get_bind().exec_driver_sql(_sql(name))
    if schema is not None:
        op.execute("reset search_path")


def _sql(name: str) -> str:
    # A literal percent sign would be read as a placeholder by the driver.
    return (SQL_DIR / name).read_text(encoding="utf-8").replace("%", "%%")
