"""What stock gained after the spine."""

from hub.store.migrate import run_sql

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    run_sql("0005_stock.sql", schema="hub")
