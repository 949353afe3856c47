"""Loads the named queries of a `.sql` file beside this module. Knows nothing of what they ask."""

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from hub.store.db import Connection

__all__ = ["Connection", "Row", "load", "row", "rows"]

Row = dict[str, Any]
_NAME = re.compile(r"^-- name: (\w+)$", re.MULTILINE)


@cache
def load(noun: str) -> Mapping[str, str]:
    """The queries of `<noun>.sql` by name; each starts with `-- name: <name>`."""
    text = (Path(__file__).parent / f"{noun}.sql").read_text(encoding="utf-8")
    parts = _NAME.split(text)[1:]
    return dict(zip(parts[::2], (part.strip() for part in parts[1::2]), strict=True))


async def rows(connection: Connection, query: str, *arguments: Any) -> list[Row]:
    """All rows as dictionaries."""
    return [dict(record) for record in await connection.fetch(query, *arguments)]


async def row(connection: Connection, query: str, *arguments: Any) -> Row | None:
    """The only row, or None."""
    record = await connection.fetchrow(query, *arguments)
    return dict(record) if record is not None else None
