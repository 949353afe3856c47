"""Subscriptions, and what is delivered by them."""

from hub.store.migrate import run_sql

revision = "0018"
down_revision = "0014"


def upgrade() -> None:
    run_sql("0018_subscriptions.sql")
    run_sql("0018_deliveries.sql", schema="hub")
