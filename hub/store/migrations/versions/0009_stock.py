"""Bundles, the places of shops, items that are not known yet, batches."""

from hub.store.migrate import run_sql

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    run_sql("0009_stock.sql", schema="hub")
