"""What coupons gained after the spine."""

from hub.store.migrate import run_sql

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    run_sql("0007_coupons.sql", schema="hub")
