"""Topics and stream-fed tables as external assets: Dagster shows them, the workers write them."""

from datetime import timedelta

import dagster as dg

from hub.domain.topics import TOPICS
from hub_assets import streams
from hub_assets.events import REPORT_EVERY_S, topic_key

OWNERS = ["team:streams"]
# Three reports missed: its worker stands still, or nobody looks any more.
STALE = dg.FreshnessPolicy.time_window(
    fail_window=timedelta(seconds=3 * REPORT_EVERY_S),
    warn_window=timedelta(seconds=2 * REPORT_EVERY_S),
)


@dg.definitions
def stream_assets() -> dg.Definitions:
    """Channels post to topics, workers fold them into tables, the hub's facts go out by topics."""
    return dg.Definitions(assets=[*_topics(), *_tables(), _replays()])


def _topics() -> list[dg.AssetSpec]:
    return [
        dg.AssetSpec(
            topic_key(topic.name),
            deps=[dg.AssetKey(list(origin))] if origin else [],
            description=f"Events keyed by {topic.keyed_by}.",
            group_name="topics",
            kinds={"kafka"},
            owners=OWNERS,
            metadata={"partitions": topic.partitions, "topic": topic.name},
        )
        for topic in TOPICS
        for origin in [streams.FED_FROM.get(topic.name)]
    ]


def _tables() -> list[dg.AssetSpec]:
    return [
        dg.AssetSpec(
            dg.AssetKey([schema, table]),
            deps=[topic_key(topic) for topic in fed_by],
            description=(
                f"Table {schema}.{table}: kept by the stream workers, one transaction a batch."
            ),
            group_name="hub" if schema == "hub" else "log",
            kinds={"postgres"},
            owners=OWNERS,
            metadata={"dagster/table_name": f"{schema}.{table}"},
            freshness_policy=STALE,
        )
        for (schema, table), fed_by in streams.tables().items()
    ]


def _replays() -> dg.AssetSpec:
    return dg.AssetSpec(
        dg.AssetKey(["access", "replays"]),
        deps=[dg.AssetKey(["log", "events"])],
        description="One row per replay of the log; one that swapped makes the marts start anew.",
        group_name="hub",
        kinds={"postgres"},
        owners=OWNERS,
    )
