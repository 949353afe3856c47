"""Each invariant that the store can show is an asset check; all run at once, on one snapshot."""

import asyncio
from collections.abc import Iterator

import dagster as dg

from hub import settings
from hub.store import check
from hub_assets import automation

STORED = tuple(invariant for invariant in check.INVARIANTS if invariant.proof == "store")


@dg.multi_asset_check(
    name="invariants",
    specs=[
        dg.AssetCheckSpec(
            invariant.name,
            asset=dg.AssetKey(list(invariant.asset)),
            description=invariant.title,
            automation_condition=automation.hourly(),
            metadata={"proof": invariant.proof},
        )
        for invariant in STORED
    ],
    can_subset=True,
)
def invariants(context: dg.AssetCheckExecutionContext) -> Iterator[dg.AssetCheckResult]:
    """Count what breaks each of the wanted invariants."""
    wanted = {key.name: key for key in context.selected_asset_check_keys}
    for result in asyncio.run(check.run(settings.load().dsn("writer"), list(wanted))):
        yield dg.AssetCheckResult(
            passed=result.violations == 0,
            check_name=result.name,
            asset_key=wanted[result.name].asset_key,
            metadata={
                "violations": result.violations,
                "sample": dg.MetadataValue.json(result.sample),
            },
        )
