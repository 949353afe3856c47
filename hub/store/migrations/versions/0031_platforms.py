"""What the hub's workers share about a platform's API: its token, and whose turn a call is."""

from hub.store.migrate import run_sql

revision = "0031"
down_revision = "0028"


def upgrade() -> None:
    run_sql("0031_platforms.sql")
