"""Whether a table has the columns it had at the last look; what changed is said once.

The last look is remembered by Dagster, as metadata of the check. Not here: which tables
(`hub_assets.components.stream_table`).
"""

from collections.abc import Mapping

import dagster as dg
import psycopg

COLUMNS = "columns"
CHECK = "columns_are_those_of_the_last_look"
Columns = Mapping[str, str]
"""column -> type"""
_COLUMNS = """
    select a.attname, format_type(a.atttypid, a.atttypmod)
    from pg_attribute as a
    where a.attrelid = to_regclass(%s) and a.attnum > 0 and not a.attisdropped
    order by a.attname
"""


def read(connection: psycopg.Connection, table: str) -> dict[str, str]:
    """The columns of `schema.table`; none if there is no such table."""
    return dict(connection.execute(_COLUMNS, [table]).fetchall())


def difference(before: Columns, now: Columns) -> list[str]:
    """What changed, in words, sorted by column."""
    words = []
    for name in sorted(before.keys() | now.keys()):
        if name not in now:
            words.append(f"{name} is gone")
        elif name not in before:
            words.append(f"{name} is new: {now[name]}")
        elif before[name] != now[name]:
            words.append(f"{name} was {before[name]}, is {now[name]}")
    return words


def result(
    instance: dg.DagsterInstance, key: dg.AssetCheckKey, now: Columns
) -> dg.AssetCheckResult:
    """Set a table's columns against those of the last result; a warning where they differ."""
    before = _last(instance, key)
    changed = difference(before, now) if before is not None else []
    return dg.AssetCheckResult(
        asset_key=key.asset_key,
        check_name=key.name,
        passed=not changed,
        severity=dg.AssetCheckSeverity.WARN,
        metadata={
            "changed": dg.MetadataValue.json(changed),
            COLUMNS: dg.MetadataValue.json(dict(now)),
        },
    )


def _last(instance: dg.DagsterInstance, key: dg.AssetCheckKey) -> Columns | None:
    summary = instance.event_log_storage.get_asset_check_summary_records([key])[key]
    record = summary.last_completed_check_execution_record
    event = record.event.dagster_event if record and record.event else None
    if event is None:
        return None
    found = event.asset_check_evaluation_data.metadata.get(COLUMNS)
    return found.value if isinstance(found, dg.JsonMetadataValue) else None  # type: ignore[return-value]
