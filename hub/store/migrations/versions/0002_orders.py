"""What orders gained after the spine."""

from hub.store.migrate import run_sql

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    run_sql("0004_orders.sql", schema="hub")
