"""The log, the hub's state, keys and marts' schemas."""

from hub.store.migrate import run_sql

revision = "0001"
down_revision = None


def upgrade() -> None:
    run_sql("0001_log.sql")
    run_sql("0002_hub.sql", schema="hub")
    run_sql("0003_access.sql")
