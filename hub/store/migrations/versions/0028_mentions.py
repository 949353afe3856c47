"""Who is named by events of no account, and which coupons were for a person who was erased."""

from hub.store.migrate import run_sql

revision = "0028"
down_revision = "0027"


def upgrade() -> None:
    run_sql("0028_mentions.sql")
    run_sql("0028_recipients.sql", schema="hub")
