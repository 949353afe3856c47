"""The one entry point that Dagster loads: everything under `defs/`."""

from pathlib import Path

import dagster as dg

from hub_assets import graph


@dg.definitions
def defs() -> dg.Definitions:
    """All assets, checks, sensors and jobs."""
    return graph.joined(dg.load_from_defs_folder(path_within_project=Path(__file__).parent))
