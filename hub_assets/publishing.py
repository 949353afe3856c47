"""Which build of the marts readers see, and why not a newer one.

Read from the view `marts.builds`. Not here: what publishes (`dbt_project/macros/builds.sql`).
"""

from dataclasses import dataclass
from datetime import datetime

import dagster as dg
import psycopg

from hub_assets.automation import WITNESS

CHECK = dg.AssetCheckKey(WITNESS, "readers_see_the_last_build")

_STATE = """
    select
        last.build,
        last.status,
        last.reason,
        shown.build,
        shown.ended_at,
        shown.bound_xid::text
    from (select true) as always
    left join (select * from marts.builds order by build desc limit 1) as last on true
    left join marts.builds as shown on shown.is_shown
"""


@dataclass(frozen=True)
class State:
    """The last build and the one that readers see; times are UTC, None where there is none."""

    last_build: int | None
    last_status: str | None
    reason: str | None
    shown_build: int | None
    shown_since: datetime | None
    bound_xid: str | None
    """What was committed below this transaction is in the marts that readers see."""

    @property
    def is_current(self) -> bool:
        """Whether readers see the last build that came to its end."""
        return self.last_status in ("published", "building") and self.shown_build is not None


def state(connection: psycopg.Connection) -> State:
    """Read it; an empty one where no mart was ever built. Raises psycopg.Error."""
    is_there = connection.execute("select to_regclass('marts.builds') is not null").fetchone()
    if is_there is None or not is_there[0]:
        return State(None, None, None, None, None, None)
    row = connection.execute(_STATE).fetchone()
    assert row is not None
    return State(*row)


def told(now: State) -> str:
    """The state in a sentence."""
    if now.shown_build is None:
        shown = "no build was published yet"
    else:
        shown = f"readers see build {now.shown_build}, published at {now.shown_since:%F %T%z}"
    if now.reason is None:
        return shown
    return f"{shown}; build {now.last_build} was {now.last_status}: {now.reason}"


def evaluation(now: State) -> dg.AssetCheckEvaluation:
    """The check of it, for the end of a build: what a failed build holds back is then said at once,
    while a step of its own would be skipped with all that comes after the failure."""
    return dg.AssetCheckEvaluation(
        asset_key=CHECK.asset_key,
        check_name=CHECK.name,
        passed=now.is_current,
        description=told(now),
        metadata={
            "shown_build": str(now.shown_build),
            "shown_since": str(now.shown_since),
            "shown_bound_xid": str(now.bound_xid),
            "last_build": str(now.last_build),
            "last_status": str(now.last_status),
            "reason": now.reason or "",
        },
    )
