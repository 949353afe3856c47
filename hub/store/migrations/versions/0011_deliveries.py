"""How far the readers of the outbox have come."""

from hub.store.migrate import run_sql

revision = "0011"
down_revision = "0009"


def upgrade() -> None:
    run_sql("0012_deliveries.sql", schema="hub")
