"""What tiers gained after the spine."""

from hub.store.migrate import run_sql

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    run_sql("0006_tiers.sql", schema="hub")
