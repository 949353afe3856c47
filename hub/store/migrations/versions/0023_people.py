"""People of the console, their sessions, and logins that failed."""

from hub.store.migrate import run_sql

revision = "0023"
down_revision = "0022"


def upgrade() -> None:
    run_sql("0023_people.sql")
