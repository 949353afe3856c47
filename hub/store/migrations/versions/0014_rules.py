"""Sync rules: their versions among the facts."""

from hub.store.migrate import run_sql

revision = "0014"
down_revision = "0012"


def upgrade() -> None:
    run_sql("0015_rules.sql", schema="hub")
