"""The way of an event to who is told of it."""

from hub.store.migrate import run_sql

revision = "0026"
down_revision = "0023"


def upgrade() -> None:
    run_sql("0026_ways.sql", schema="hub")
