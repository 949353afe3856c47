"""What platforms decide: levels they report, and calls to them that were never answered."""

from hub.store.migrate import run_sql

revision = "0019"
down_revision = "0018"


def upgrade() -> None:
    run_sql("0019_verifications.sql", schema="hub")
    run_sql("0019_mirrors.sql", schema="hub")
