"""Orders by the place where they are picked up."""

from hub.store.migrate import run_sql

revision = "0034"
down_revision = "0033"


def upgrade() -> None:
    run_sql("0034_orders_place.sql", schema="hub")
