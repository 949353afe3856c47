"""What the asset graph has whatever made its parts: channels above topics, owners, code.

Not here: the parts (`defs`).
"""

from collections.abc import Mapping
from pathlib import Path

import dagster as dg

from hub_assets.components.channel import GROUP, TOPICS_KEY
from hub_assets.events import topic_key

ROOT = Path(__file__).resolve().parent
CODE_REFERENCES = "dagster/code_references"
# Where an asset is written down that no `defs.yaml` makes, by the first part of its key.
CODE: Mapping[str, Path] = {
    "access": ROOT / "defs" / "streams" / "assets.py",
    "kafka": ROOT / "defs" / "streams" / "assets.py",
    "upkeep": ROOT / "defs" / "jobs" / "overdue.py",
}
OWNERS: Mapping[str, str] = {"staging": "team:warehouse", "intermediate": "team:warehouse"}


def joined(made: dg.Definitions) -> dg.Definitions:
    """The same definitions with what is missing."""
    specs = made.resolve_all_asset_specs()
    posted = {
        topic_key(topic): [one.key for one in specs if topic in _topics(one)]
        for channel in specs
        for topic in _topics(channel)
    }
    return made.map_resolved_asset_specs(func=lambda spec: _whole(spec, posted))


def _topics(spec: dg.AssetSpec) -> list[str]:
    """The topics that a channel posts to; none for what is no channel."""
    return spec.metadata[TOPICS_KEY] if spec.group_name == GROUP else []


def _whole(spec: dg.AssetSpec, posted: Mapping[dg.AssetKey, list[dg.AssetKey]]) -> dg.AssetSpec:
    layer = spec.key.path[0]
    if spec.key in posted:
        spec = spec.merge_attributes(deps=posted[spec.key])
    if not spec.owners and layer in OWNERS:
        spec = spec.replace_attributes(owners=[OWNERS[layer]])
    if CODE_REFERENCES not in spec.metadata and layer in CODE:
        spec = spec.merge_attributes(metadata=written_in(CODE[layer]))
    return spec


def written_in(file: Path) -> dict[str, dg.CodeReferencesMetadataValue]:
    """Metadata that links an asset to the file it is written down in."""
    place = dg.LocalFileCodeReference(file_path=str(file), label=file.name)
    return {CODE_REFERENCES: dg.CodeReferencesMetadataValue(code_references=[place])}
