"""Rules by schedule."""

from hub.store.migrate import run_sql

revision = "0027"
down_revision = "0026"


def upgrade() -> None:
    run_sql("0027_rule_schedules.sql", schema="hub")
