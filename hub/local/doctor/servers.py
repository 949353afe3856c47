"""The doctor's look at a Postgres and a Kafka the user gave by URL."""

from collections.abc import Iterator

import psycopg

from hub.local import kafka
from hub.local.doctor.problem import Problem
from hub.settings import Settings

CONNECT_TIMEOUT_S = 5
POSTGRES_MIN = 160000  # server_version_num of the oldest that grants membership `with set`
MAY_MAKE_ROLES = """
    select rolsuper or (rolcreaterole and rolcreatedb) from pg_roles where rolname = current_user
"""


def postgres_answers(settings: Settings) -> Iterator[Problem]:
    """Reachable, new enough, and with the rights to make roles and databases."""
    if settings.postgres_url is None:
        return
    try:
        with psycopg.connect(
            settings.postgres_url, connect_timeout=CONNECT_TIMEOUT_S
        ) as connection:
            version = connection.info.server_version
            row = connection.execute(MAY_MAKE_ROLES).fetchone()
    except psycopg.Error as error:
        yield Problem(
            what="the Postgres of HUB_POSTGRES_URL does not answer",
            why=str(error).strip(),
            mend="check address, account and network; unset it to use the hub's own",
        )
        return
    if version < POSTGRES_MIN:
        yield Problem(
            what=f"the Postgres of HUB_POSTGRES_URL has version {version // 10000}",
            why=f"the hub needs {POSTGRES_MIN // 10000} or newer; 18 is what it is tested with",
            mend="use a newer server; unset it to use the hub's own",
        )
    if not (row and row[0]):
        yield Problem(
            what="the role of HUB_POSTGRES_URL may not make roles and databases",
            why="`hub up` makes one role each for owner, writer, dbt, reader and Dagster",
            mend="alter role … createrole createdb",
        )


def kafka_answers(settings: Settings) -> Iterator[Problem]:
    """At least one of the brokers tells about its cluster."""
    if settings.kafka_brokers is not None and not kafka.is_ready(settings):
        yield Problem(
            what="the Kafka of HUB_KAFKA_BROKERS does not answer",
            why=f"no broker of {settings.kafka_brokers} gave its cluster's metadata "
            f"within {kafka.PROBE_TIMEOUT_S:.0f} s",
            mend="check addresses and network; unset it to use the hub's own",
        )
