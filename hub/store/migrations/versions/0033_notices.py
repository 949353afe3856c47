"""Notices by person: how often somebody was told something by rules."""

from hub.store.migrate import run_sql

revision = "0033"
down_revision = "0031"


def upgrade() -> None:
    run_sql("0033_notices.sql", schema="hub")
