"""A name for `defs.yaml`: where dbt keeps what it parsed for this hub."""

import dagster as dg

from hub import settings
from hub_assets import dbt


@dg.template_var
def dbt_target() -> str:
    """The folder, as text."""
    return str(dbt.target(settings.load()))
