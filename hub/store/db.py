"""Connections to Postgres and the named queries of `sql/`. No query of its own.

One driver (asyncpg) for streams, API and commands. Ids travel as 16 bytes (`hub.domain.ids`).
"""

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import asyncpg
import msgspec

# A pool hands out a proxy with the connection's methods.
Connection = asyncpg.Connection | asyncpg.pool.PoolConnectionProxy
CONNECT_TIMEOUT_S = 10
COMMAND_TIMEOUT_S = 60.0
"""No statement of ours runs longer; one that does is hung, and its connection is dropped."""
COPY_ROWS_MIN = 50
_POSTGRES_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_SQL_DIR = Path(__file__).parent / "sql"
_COMMENT = re.compile(r"^ *--.*\n", re.MULTILINE)
_NAME = re.compile(r"^-- name: (\w+)$", re.MULTILINE)


async def connect(
    dsn: str,
    schema: str = "hub",
    command_timeout_s: float = COMMAND_TIMEOUT_S,
    application: str = "hub",
) -> Connection:
    """A connection whose unqualified names mean `schema`; application: its name in Postgres."""
    connection = await asyncpg.connect(
        dsn,
        timeout=CONNECT_TIMEOUT_S,
        command_timeout=command_timeout_s,
        server_settings={"search_path": schema, "application_name": application},
    )
    try:
        await prepare(connection)
    except BaseException:
        connection.terminate()
        raise
    return connection


async def prepare(connection: Any) -> None:
    """Set types and planning of a connection: also the `init` of an asyncpg pool.

    Planning each time what is always planned alike costs as much as running it.
    """
    await connection.execute("set jit to off; set plan_cache_mode to force_generic_plan")
    await connection.set_type_codec(
        "uuid", schema="pg_catalog", encoder=bytes, decoder=bytes, format="binary"
    )
    await connection.set_type_codec(
        "jsonb", schema="pg_catalog", encoder=_jsonb, decoder=_from_jsonb, format="binary"
    )
    # The driver's own compares each time with both infinities, which takes four times as long.
    await connection.set_type_codec(
        "timestamptz",
        schema="pg_catalog",
        encoder=_timestamptz,
        decoder=_from_timestamptz,
        format="tuple",
    )


# jsonb's binary form is a version byte and the text; only binary forms can be copied in.
def _jsonb(value: Any) -> bytes:
    return b"\x01" + msgspec.json.encode(value)


def _from_jsonb(value: bytes) -> Any:
    return msgspec.json.decode(value[1:])


def _timestamptz(value: datetime) -> tuple[int]:
    return ((value - _POSTGRES_EPOCH) // _MICROSECOND,)


def _from_timestamptz(value: tuple[int]) -> datetime:
    return _POSTGRES_EPOCH + timedelta(microseconds=value[0])


@cache
def queries(noun: str) -> dict[str, str]:
    """The queries of `sql/<noun>.sql` by name, without their comments: a comment above a name
    belongs to the query below it."""
    parts = _NAME.split((_SQL_DIR / f"{noun}.sql").read_text(encoding="utf-8"))
    return {
        name: _COMMENT.sub("", sql).strip()
        for name, sql in zip(parts[1::2], parts[2::2], strict=True)
    }


class Rows:
    """Writes a set of rows of one table: new ones by COPY, others in one statement by arrays.

    columns: name -> Postgres type, in the order of the tuples; key: the columns of the primary key.
    A key may occur once in a set: Postgres refuses to change a row twice in one statement.
    """

    def __init__(self, table: str, key: Sequence[str], columns: dict[str, str]) -> None:
        names = ", ".join(columns)
        arrays = ", ".join(f"${i}::{kind}[]" for i, kind in enumerate(columns.values(), start=1))
        self._schema, _, self._table = table.rpartition(".")
        self._columns = list(columns)
        self._key = {name: kind for name, kind in columns.items() if name in key}
        self._json = [i for i, kind in enumerate(columns.values()) if kind == "jsonb"]
        self.insert_sql = insert_sql = (
            f"insert into {table} ({names}) select * from unnest({arrays})"
        )
        changes = ", ".join(f"{name} = excluded.{name}" for name in columns if name not in key)
        self.upsert_sql = (
            f"{insert_sql} on conflict ({', '.join(key)}) do update set {changes}, "
            "changed_xid = pg_current_xact_id()"
        )
        self.insert_new_sql = f"{insert_sql} on conflict ({', '.join(key)}) do nothing"

    async def insert(self, connection: Connection, rows: Sequence[tuple[Any, ...]]) -> None:
        """Add rows whose keys must be new.

        COPY costs a third of an insert by arrays, but for a few rows a second trip costs more.
        """
        if len(rows) < COPY_ROWS_MIN:
            await self._run(connection, self.insert_sql, rows)
        else:
            await connection.copy_records_to_table(
                self._table,
                schema_name=self._schema or None,
                columns=self._columns,
                records=rows,
            )

    async def insert_new(self, connection: Connection, rows: Sequence[tuple[Any, ...]]) -> None:
        """Add those rows whose keys are new."""
        await self._run(connection, self.insert_new_sql, rows)

    async def insert_missing(
        self, connection: Connection, rows: Sequence[tuple[Any, ...]]
    ) -> list[asyncpg.Record]:
        """The same; the keys of those that were. Another's insert of one is waited for."""
        sql = f"{self.insert_new_sql} returning {', '.join(self._key)}"
        return await connection.fetch(sql, *self._arrays(rows)) if rows else []

    async def upsert(self, connection: Connection, rows: Sequence[tuple[Any, ...]]) -> None:
        """Add rows, or replace those with the same key."""
        await self._run(connection, self.upsert_sql, rows)

    async def delete(self, connection: Connection, keys: Sequence[tuple[Any, ...]]) -> None:
        """Remove the rows of these keys."""
        if keys:
            types = ", ".join(f"${i}::{t}[]" for i, t in enumerate(self._key.values(), start=1))
            alike = " and ".join(f"t.{name} = k.{name}" for name in self._key)
            await connection.execute(
                f"delete from {self._table} as t using unnest({types})"
                f" as k ({', '.join(self._key)}) where {alike}",
                *map(list, zip(*keys, strict=True)),
            )

    async def _run(self, connection: Connection, sql: str, rows: Sequence[tuple[Any, ...]]) -> None:
        if rows:
            await connection.execute(sql, *self._arrays(rows))

    def _arrays(self, rows: Sequence[tuple[Any, ...]]) -> list[list[Any]]:
        arrays = [list(column) for column in zip(*rows, strict=True)]
        for i in self._json:
            # A list within an array would be read as one more dimension of it.
            arrays[i] = [tuple(v) if isinstance(v, list) else v for v in arrays[i]]
        return arrays
