"""Runs of sync rules, and what they have to do."""

from hub.store.migrate import run_sql

revision = "0022"
down_revision = "0021"


def upgrade() -> None:
    run_sql("0022_rule_runs.sql", schema="hub")
