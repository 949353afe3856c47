"""pgbench with the very statements of a command: what Postgres alone makes of them.

A command is recorded once from a real connection; what differs between two of them (ids, numbers)
becomes a variable. Not here: who takes which turn (`benchmarks.commands`).
"""

import re
import subprocess
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

import asyncpg
import msgspec

from hub.local import postgres
from hub.store.db import Connection

PGBENCH = postgres.program("pgbench")
TIMEOUT_S = 120
_RATE = re.compile(r"tps = ([0-9.]+)")
_PLACEHOLDER = re.compile(r"\$(\d+)")


async def record(
    connection: Connection, command: Callable[[], Awaitable[object]]
) -> list[tuple[str, tuple[Any, ...]]]:
    """The statements of one command with their arguments, in order."""
    seen: list[tuple[str, tuple[Any, ...]]] = []
    with connection.query_logger(lambda query: seen.append((query.query, tuple(query.args or ())))):
        await command()
    return seen


async def script(
    connection: Connection,
    statements: list[tuple[str, tuple[Any, ...]]],
    variables: Mapping[object, str],
    head: str,
) -> str:
    """A pgbench script of the statements. variables: a value -> the expression that stands for it;
    head: the lines that set the variables."""
    lines = [head]
    for query, arguments in statements:
        text = query.strip().rstrip(";")
        if arguments:
            prepared = await connection.prepare(query)
            types = [_name(kind) for kind in prepared.get_parameters()]
            literals = [
                _literal(value, kind, variables)
                for value, kind in zip(arguments, types, strict=True)
            ]
            text = _PLACEHOLDER.sub(lambda m, kept=literals: kept[int(m[1]) - 1], text)
        lines.append(" ".join(text.split()) + ";")
    return "\n".join(lines) + "\n"


def run(dsn: str, path: Path, clients: int, seconds: int) -> float:
    """Transactions a second."""
    done = subprocess.run(
        [
            *(str(PGBENCH), "--no-vacuum", "--protocol=prepared", f"--file={path}"),
            *(f"--client={clients}", "--jobs=2", f"--time={seconds}", dsn),
        ],
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )
    found = _RATE.search(done.stdout)
    if found is None or "failed" in done.stderr or done.returncode != 0:
        raise RuntimeError(done.stderr[-2000:] + done.stdout[-2000:])
    return float(found[1])


def _name(kind: asyncpg.Type) -> str:
    return f"{kind.name.removesuffix('[]')}[]" if kind.kind == "array" else kind.name


def _literal(value: Any, kind: str, variables: Mapping[object, str]) -> str:
    if isinstance(value, list | tuple) and kind.endswith("[]"):
        inside = ", ".join(_literal(one, kind[:-2], variables) for one in value)
        return f"array[{inside}]::{kind}"
    if value is None:
        return f"null::{kind}"
    try:
        return f"({variables[value]})::{kind}"
    except (KeyError, TypeError):
        return f"'{_text(value, kind)}'::{kind}"


def _text(value: Any, kind: str) -> str:
    if kind == "jsonb":
        return msgspec.json.encode(value).decode().replace("'", "''")
    if isinstance(value, bytes):
        return value.hex() if kind == "uuid" else f"\\x{value.hex()}"
    return str(value).replace("'", "''")
