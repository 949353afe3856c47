"""The first rows that fail a test of dbt, as metadata of its check; personal columns are masked.

Read in the run that failed, from what the test itself looked at. Not here: running dbt
(`hub_assets.warehouse`).
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import dagster as dg
import psycopg
from psycopg.rows import dict_row

ROWS_MAX = 20
TEXT_MAX = 200
TIMEOUT_MS = 10_000
MASK = "***"
UNIQUE_ID = "unique_id"
ROWS = "failing_rows"
QUERY = "failing_query"
# What dbt's own tests call the column that they look at.
LOOKED_AT = frozenset({"unique_field", "from_field", "value_field"})
COUNTS = frozenset({"n_records"})


def with_rows(
    found: dg.AssetCheckResult,
    reader: psycopg.Connection,
    target: Path,
    manifest: Mapping[str, Any],
) -> dg.AssetCheckResult:
    """The same result with the first rows and the query that finds all of them.

    reader: autocommit, of a role that reads what the test read. target: where dbt compiled it.
    """
    metadata = dict(found.metadata)
    node = manifest["nodes"].get(getattr(metadata.get(UNIQUE_ID), "value", None))
    query = _compiled(target, node) if node else None
    if node is None or query is None:
        return found
    metadata[QUERY] = dg.MetadataValue.md(f"```sql\n{query}\n```")
    try:
        rows = _first(reader, query)
    except psycopg.Error as error:
        metadata[ROWS] = dg.MetadataValue.text(f"not to be read any more: {type(error).__name__}")
    else:
        shown = shown_columns(manifest, node)
        metadata[ROWS] = dg.MetadataValue.json([_masked(row, shown) for row in rows])
    return dg.AssetCheckResult(
        passed=found.passed,
        asset_key=found.asset_key,
        check_name=found.check_name,
        severity=found.severity,
        description=found.description,
        metadata=metadata,
    )


def shown_columns(manifest: Mapping[str, Any], test: Mapping[str, Any]) -> frozenset[str]:
    """The columns of a test's rows that anybody may see: those that its models declare and no model
    declares personal. What the test computes under another name is not shown."""
    models = [node for node in manifest["nodes"].values() if node["resource_type"] == "model"]
    personal = {
        name
        for node in models
        for name, column in node["columns"].items()
        if column.get("config", {}).get("meta", {}).get("personal")
    }
    read = set(test["depends_on"]["nodes"])
    declared = {name for node in models if node["unique_id"] in read for name in node["columns"]}
    is_open = test.get("column_name") is not None and test["column_name"] not in personal
    return frozenset((declared | COUNTS | (LOOKED_AT if is_open else frozenset())) - personal)


def _compiled(target: Path, test: Mapping[str, Any]) -> str | None:
    name = Path(test["path"]).name
    path = next((target / "compiled").rglob(name), None)
    return path.read_text(encoding="utf-8").strip().rstrip(";") if path else None


def _first(reader: psycopg.Connection, query: str) -> list[dict[str, Any]]:
    with reader.transaction(), reader.cursor(row_factory=dict_row) as cursor:
        cursor.execute("select set_config('statement_timeout', %s, true)", [str(TIMEOUT_MS)])
        cursor.execute(f"select * from (\n{query}\n) as failing limit {ROWS_MAX}".encode())
        return cursor.fetchall()


def _masked(row: Mapping[str, Any], shown: frozenset[str]) -> dict[str, Any]:
    return {name: _text(value) if name in shown else MASK for name, value in row.items()}


def _text(value: Any) -> Any:
    return value if isinstance(value, int | None) else str(value)[:TEXT_MAX]
