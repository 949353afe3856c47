"""What was changed by which transaction is found at once; deliveries of channels in shadow."""

from hub.store.migrate import run_sql

revision = "0020"
down_revision = "0019"


def upgrade() -> None:
    run_sql("0020_out.sql", schema="hub")
