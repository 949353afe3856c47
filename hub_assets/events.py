"""What Dagster is told of the streams: lag of topics, and that tables are current.

Pure: takes what was measured, gives Dagster's events. Not here: measuring (`hub_assets.streams`).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import dagster as dg
import msgspec

from hub_assets.streams import Table, TopicState

# A table that nothing changed is reported again this often, so that its freshness tells a quiet
# shop (reported) from a stuck worker (not reported).
REPORT_EVERY_S = 300
DATA_VERSION_TAG = "dagster/data_version"
Tables = Mapping[Table, tuple[str, ...]]
"""Table -> the topics that feed it."""


class Cursor(msgspec.Struct):
    """What was reported last: versions by topic, and when (seconds since 1970)."""

    versions: dict[str, str] = {}
    reported_at: float = 0.0


@dataclass(frozen=True)
class Report:
    """Events for Dagster and the cursor that remembers them."""

    events: list[dg.AssetMaterialization | dg.AssetObservation] = field(default_factory=list)
    cursor: Cursor = field(default_factory=Cursor)


def report(measured: Mapping[str, TopicState], tables: Tables, last: Cursor, now: float) -> Report:
    """Say what changed since the last report; everything every REPORT_EVERY_S seconds.

    A topic is observed with its lag. A table is reported current when none of its topics is
    stuck: lagging, with nothing stored since the last report.
    """
    is_due = now - last.reported_at >= REPORT_EVERY_S
    moved = {name for name, state in measured.items() if last.versions.get(name) != state.version}
    stuck = {name for name, state in measured.items() if state.lag and name not in moved}
    events: list[dg.AssetMaterialization | dg.AssetObservation] = []
    for name, state in measured.items():
        if is_due or name in moved or name in stuck:
            events.append(_observed(state))
    for table, fed_by in tables.items():
        if (is_due or moved.intersection(fed_by)) and not stuck.intersection(fed_by):
            events.append(_current(table, [measured[name] for name in fed_by]))
    versions = {name: state.version for name, state in measured.items()}
    return Report(events, Cursor(versions, now if is_due else last.reported_at))


def topic_key(topic: str) -> dg.AssetKey:
    """The asset that a topic is."""
    return dg.AssetKey(["kafka", topic])


def _observed(state: TopicState) -> dg.AssetObservation:
    metadata: dict[str, dg.MetadataValue] = {
        "lag_events": dg.MetadataValue.int(state.lag),
        "events": dg.MetadataValue.int(state.events),
    }
    if state.stored_at is not None:
        metadata["stored_at"] = dg.MetadataValue.timestamp(state.stored_at)
    return dg.AssetObservation(
        topic_key(state.topic), metadata=metadata, tags={DATA_VERSION_TAG: str(state.events)}
    )


def _current(table: Table, fed_by: list[TopicState]) -> dg.AssetMaterialization:
    metadata: dict[str, dg.MetadataValue] = {
        "lag_events": dg.MetadataValue.int(sum(state.lag for state in fed_by))
    }
    stored = [state.stored_at for state in fed_by if state.stored_at is not None]
    if stored:
        metadata["dagster/last_updated_timestamp"] = dg.MetadataValue.timestamp(max(stored))
    return dg.AssetMaterialization(
        dg.AssetKey(list(table)),
        metadata=metadata,
        tags={DATA_VERSION_TAG: "-".join(state.version for state in fed_by)},
    )
