"""Topics as external assets. The tables that they feed are in the folders beside."""

import dagster as dg

from hub.domain.topics import COMMERCE, TOPICS
from hub_assets import streams
from hub_assets.events import topic_key

OWNERS = ["team:streams"]


@dg.definitions
def stream_assets() -> dg.Definitions:
    """Channels post to topics; the hub's facts go out by topics."""
    return dg.Definitions(assets=[*_topics(), _replays()])


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
        if topic.name in (*COMMERCE, *streams.FED_FROM)  # others have no reader and no writer yet
        for origin in [streams.FED_FROM.get(topic.name)]
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
