"""Who did and saw what, and keys that rotate."""

from hub.store.migrate import run_sql

revision = "0021"
down_revision = "0020"


def upgrade() -> None:
    run_sql("0021_audit.sql", schema="hub")
    run_sql("0021_keys.sql")
