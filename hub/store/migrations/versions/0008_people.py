"""What members and coupons gained after the spine."""

from hub.store.migrate import run_sql

revision = "0008"
down_revision = "0006"


def upgrade() -> None:
    run_sql("0010_people.sql", schema="hub")
