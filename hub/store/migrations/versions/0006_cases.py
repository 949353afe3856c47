"""What cases gained after the spine."""

from hub.store.migrate import run_sql

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    run_sql("0008_cases.sql", schema="hub")
