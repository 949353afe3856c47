"""The hub's roles and databases, in its own Postgres or a given one. Safe to repeat.

Not here: schemas, tables and their grants (`hub.store.migrate`).
"""

import psycopg
from psycopg import sql

from hub.settings import ROLE_NAMES, Role, Settings

CONNECT_TIMEOUT_S = 10
# Two starting at once (a second `hub up`, test workers) wait for each other on this key.
ADVISORY_KEY = 0x68756272
# Dagster opens many connections; it must never starve the streams.
CONNECTION_LIMITS = {"dagster": 60, "dbt": 40}
ROLES: tuple[Role, ...] = ("owner", "writer", "dbt", "reader", "analyst", "dagster")


def ensure(settings: Settings) -> None:
    """Make the roles and both databases, or bring what exists up to date."""
    with _administrator(settings) as connection:
        connection.execute("select pg_advisory_lock(%s)", [ADVISORY_KEY])
        for role in ROLES:
            _ensure_role(connection, settings, role)
        # The owner makes schemas that belong to the others.
        for role in ("writer", "dbt", "reader"):
            grant = sql.SQL("grant {} to {}")
            connection.execute(grant.format(_name(role), _name("owner")))
        _ensure_database(connection, settings.postgres_database, "owner")
        _ensure_database(connection, settings.dagster_database, "dagster")
    grant_database(settings, settings.postgres_database)


def grant_database(settings: Settings, database: str) -> None:
    """Who may connect to a database of the hub. A copy of a database has none of this."""
    target = sql.Identifier(database)
    with _administrator(settings) as connection:
        connection.execute(sql.SQL("revoke all on database {} from public").format(target))
        for role in ("writer", "dbt", "reader", "analyst"):
            grant = sql.SQL("grant connect, temporary on database {} to {}")
            connection.execute(grant.format(target, _name(role)))
        # dbt makes the schemas of its own checks.
        connection.execute(
            sql.SQL("grant create on database {} to {}").format(target, _name("dbt"))
        )


def _administrator(settings: Settings) -> psycopg.Connection:
    return psycopg.connect(
        settings.dsn("admin"), autocommit=True, connect_timeout=CONNECT_TIMEOUT_S
    )


def _ensure_role(connection: psycopg.Connection, settings: Settings, role: Role) -> None:
    found = connection.execute(
        "select 1 from pg_roles where rolname = %s", [ROLE_NAMES[role]]
    ).fetchone()
    verb = sql.SQL("alter" if found else "create")
    connection.execute(
        sql.SQL("{} role {} login password {} connection limit {}").format(
            verb,
            _name(role),
            sql.Literal(settings.password(role)),
            sql.Literal(CONNECTION_LIMITS.get(role, -1)),
        )
    )


def _ensure_database(connection: psycopg.Connection, database: str, owner: Role) -> None:
    found = connection.execute(
        "select 1 from pg_database where datname = %s", [database]
    ).fetchone()
    if not found:
        create = sql.SQL("create database {} owner {}")
        # A managed Postgres lets only a member of a role give it a database.
        connection.execute(sql.SQL("grant {} to current_user").format(_name(owner)))
        connection.execute(create.format(sql.Identifier(database), _name(owner)))


def _name(role: Role) -> sql.Identifier:
    return sql.Identifier(ROLE_NAMES[role])
