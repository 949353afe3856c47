"""Each exposure of the dbt project as an external asset below the marts that it reads."""

from collections.abc import Mapping
from typing import Any

import dagster as dg

from hub import settings
from hub_assets import dbt, project
from hub_assets.graph import written_in

GROUP = "exposures"


@dg.definitions
def exposures() -> dg.Definitions:
    """As the manifest has them: a new one needs no code."""
    manifest = project.prepare(settings.load()).manifest()
    found = sorted(manifest["exposures"].values(), key=lambda one: one["name"])
    return dg.Definitions(assets=[_spec(one, manifest["nodes"]) for one in found])


def _spec(exposure: Mapping[str, Any], nodes: Mapping[str, Mapping[str, Any]]) -> dg.AssetSpec:
    read = [nodes[name] for name in exposure["depends_on"]["nodes"] if name in nodes]
    file = dbt.PROJECT_DIR / exposure["original_file_path"]
    metadata: dict[str, Any] = {**written_in(file)}
    if exposure.get("url"):
        metadata["url"] = dg.MetadataValue.url(exposure["url"])
    return dg.AssetSpec(
        dg.AssetKey([GROUP, exposure["name"]]),
        deps=[dg.AssetKey([node["schema"], node["name"]]) for node in read],
        description="\n\n".join([exposure["label"] or exposure["name"], exposure["description"]]),
        group_name=GROUP,
        kinds={exposure["type"]},
        owners=[exposure["owner"]["email"]] if exposure["owner"].get("email") else [],
        metadata=metadata,
    )
