"""Secrets of channels."""

from hub.store.migrate import run_sql

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    run_sql("0013_channels.sql")
