"""The component that compares the hub with a channel's own list, on a schedule or by a click.

Each is an asset (its counts are plotted), a check that fails with the first rows, and a schedule.
Not here: comparing and keeping (`hub_assets.recon`), and what the hub holds (`hub.store.listing`).
"""

import asyncio
import os
from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Any, Literal, Self

import dagster as dg
from pydantic import BaseModel, Field, model_validator

from hub import settings
from hub.settings import Settings
from hub.store import listing
from hub.store.listing import NOUNS, Window
from hub_assets.recon import comparing, keeping, theirs
from hub_assets.recon.comparing import Column, Drift, Outcome, Plan, Row
from hub_assets.recon.keeping import Comparison
from hub_assets.recon.theirs import ListAway, ListUnreadable, Paging

SAMPLE_ROWS_MAX = 20
NAME = r"^[a-z][a-z0-9_]*$"
AGAIN = dg.RetryPolicy(max_retries=2, delay=30, backoff=dg.Backoff.EXPONENTIAL)
GROUP = "recon"
JOB_PREFIX = "reconcile_"
COUNTED: tuple[comparing.Kind, ...] = ("differs", "only_here", "only_there", "unreadable")


class TheirList(dg.Model, dg.Resolvable):
    """Where the channel's list comes from: one of `file` and `url_env`."""

    file: str | None = Field(default=None, description="A file; relative to the hub's data folder")
    url_env: str | None = Field(
        default=None,
        description="The variable that holds the address; {from_date} and {to_date} in it are"
        " replaced by the window's first day and the day after its last",
    )
    token_env: str | None = Field(
        default=None, description="The variable that holds the value of the header `header`"
    )
    header: str = "Authorization"
    format: Literal["csv", "jsonl", "json"] = "csv"
    rows: str = Field(default="", description="Where in a JSON answer the rows are: data.orders")
    next: str = Field(default="", description="Where it has the address of its next page")

    @model_validator(mode="after")
    def _has_one_place(self) -> Self:
        if (self.file is None) == (self.url_env is None):
            raise ValueError("a list has either `file` or `url_env`")
        return self

    @property
    def is_known(self) -> bool:
        """Whether anybody said where it is: an address that is not set is nowhere."""
        return self.url_env is None or bool(os.environ.get(self.url_env))


class ValueColumn(dg.Model, dg.Resolvable):
    """A column to compare."""

    ours: str
    theirs: str
    unit: Literal["major", "minor"] = Field(
        default="major", description='Whether their amounts are "12.30", or 1230'
    )
    words: dict[str, str] = Field(default={}, description="Their words -> the hub's")


class ReconciliationParams(BaseModel):
    """What `dg scaffold` asks for."""

    channel: str = "website"
    noun: str = "orders"


class ReconciliationScaffolder(dg.Scaffolder[ReconciliationParams]):
    """Writes a comparison with a CSV file in the data folder."""

    @classmethod
    def get_scaffold_params(cls) -> type[ReconciliationParams]:
        """Channel and noun."""
        return ReconciliationParams

    def scaffold(self, request: dg.ScaffoldRequest[ReconciliationParams]) -> None:
        """Write `defs.yaml`: all columns of the noun under the hub's own names."""
        asked = request.params
        listed = NOUNS[asked.noun]  # type: ignore[index]  # a KeyError names the wrong noun
        attributes: dict[str, Any] = {
            "name": request.target_path.name,
            "channel": asked.channel,
            "noun": asked.noun,
            "their_list": {"file": f"lists/{asked.channel}_{asked.noun}.csv"},
            "key": {name: name for name in listed.key},
            "values": [{"ours": name, "theirs": name} for name in listed.values],
        }
        dg.scaffold_component(request, attributes)


@dg.scaffold_with(ReconciliationScaffolder)
class Reconciliation(dg.Component, dg.Model, dg.Resolvable):
    """Compares what the hub holds of a channel with the channel's own list; tolerance is zero."""

    name: str = Field(pattern=NAME, description="Names the asset: recon/<name>")
    channel: str
    noun: Literal["orders", "stock", "members", "points"]
    their_list: TheirList
    key: dict[str, str] = Field(description="The hub's column -> theirs: what names a row")
    values: list[ValueColumn] = Field(default=[], description="Columns to compare; none: keys only")
    shop: str | None = Field(
        default=None, description="Orders only: those of one shop, if each has a list of its own"
    )
    window_days: int | None = Field(
        default=None, ge=1, le=366, description="Orders only: those of the last so many days"
    )
    cron: str = Field(default="30 3 * * *", description="In the business zone")
    severity: Literal["warn", "error"] = "error"

    @model_validator(mode="after")
    def _columns_exist(self) -> Self:
        listed = NOUNS[self.noun]
        if set(self.key) != set(listed.key):
            raise ValueError(f"the key of {self.noun} is {', '.join(listed.key)}")
        unknown = {value.ours for value in self.values} - set(listed.values)
        if unknown:
            known = ", ".join(listed.values) or "none"
            raise ValueError(
                f"{self.noun} have no {', '.join(sorted(unknown))}; there are: {known}"
            )
        if (self.window_days or self.shop) and self.noun != "orders":
            raise ValueError("only orders have a shop and a window")
        return self

    def build_defs(self, context: dg.ComponentLoadContext) -> dg.Definitions:
        """The asset with its check, its job, and its schedule, which is on by default: not where
        there is no list yet."""
        made = self._asset()
        name = f"{JOB_PREFIX}{self.name}"
        job = dg.define_asset_job(name, selection=dg.AssetSelection.assets(made))
        schedule = dg.ScheduleDefinition(
            name=name,
            job=job,
            cron_schedule=self.cron,
            execution_timezone=settings.load().business_zone,
            default_status=dg.DefaultScheduleStatus.RUNNING,
        )
        schedules = [schedule] if self.their_list.is_known else []
        return dg.Definitions(assets=[made], jobs=[job], schedules=schedules)

    def run(self, run_id: str, now: datetime) -> Outcome:
        """Read both lists, compare, keep what was found. Raises ListUnreadable."""
        hub = settings.load()
        window = _window(hub, now, self.window_days) if self.window_days else None
        ours = asyncio.run(listing.rows(hub.dsn("dbt"), self.noun, self.channel, self.shop, window))
        outcome = comparing.compare(ours, _theirs(hub, self.their_list, window), self._plan())
        comparison = Comparison(self.name, run_id, self.channel, self.noun, now)
        keeping.keep(hub.dsn("dbt"), comparison, outcome)
        return outcome

    def _plan(self) -> Plan:
        return Plan(
            tuple(Column(name, self.key[name]) for name in NOUNS[self.noun].key),
            tuple(Column(v.ours, v.theirs, v.unit, v.words) for v in self.values),
        )

    def _asset(self) -> dg.AssetsDefinition:
        key = dg.AssetKey([GROUP, self.name])
        check = f"{self.name}_agrees"
        severity = dg.AssetCheckSeverity[self.severity.upper()]

        @dg.asset(
            key=key,
            deps=[dg.AssetKey(["hub", table]) for table in NOUNS[self.noun].tables],
            description=f"The hub's {self.noun} of {self.channel} against the channel's own list."
            " Rows that drift: recon.drift; history: recon.comparisons.",
            group_name=GROUP,
            kinds={"python", "postgres"},
            owners=["team:streams"],
            tags={"channel": self.channel, "subject": self.noun},
            check_specs=[dg.AssetCheckSpec(check, asset=key)],
            retry_policy=AGAIN,
        )
        def compared(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
            try:
                outcome = self.run(context.run.run_id, datetime.now(UTC))
            except ListUnreadable as error:
                is_away = isinstance(error, ListAway)
                raise dg.Failure(str(error), allow_retries=is_away) from error
            metadata = _metadata(outcome)
            found = dg.AssetCheckResult(
                check_name=check,
                passed=not outcome.drifts,
                severity=severity,
                metadata={"rows": len(outcome.drifts), **metadata},
            )
            return dg.MaterializeResult(metadata=metadata, check_results=[found])

        return compared


def _window(hub: Settings, now: datetime, days: int) -> Window:
    """The last whole business days."""
    end = datetime.combine(now.astimezone(hub.zone).date(), time(), hub.zone)
    return Window(end - timedelta(days=days), end)


def _theirs(hub: Settings, source: TheirList, window: Window | None) -> Iterator[Row]:
    if source.file is not None:
        return theirs.from_file(hub.data_dir / Path(source.file), source.format)
    assert source.url_env is not None, "a list has either a file or an address"
    url = os.environ.get(source.url_env, "")
    if not url:
        raise ListUnreadable(f"{source.url_env} is not set", mend="export it before hub up")
    if window:
        url = url.replace("{from_date}", window.begin.date().isoformat())
        url = url.replace("{to_date}", window.end.date().isoformat())
    token = os.environ.get(source.token_env, "") if source.token_env else ""
    headers = {source.header: token} if token else {}
    return theirs.from_url(url, source.format, headers, Paging(source.rows, source.next))


def _metadata(outcome: Outcome) -> dict[str, dg.MetadataValue]:
    counts = {kind: dg.MetadataValue.int(outcome.count(kind)) for kind in COUNTED}
    return {
        "sync_accuracy": dg.MetadataValue.float(outcome.accuracy),
        "matched": dg.MetadataValue.int(outcome.matched),
        **counts,
        "sample": dg.MetadataValue.json([_shown(one) for one in outcome.drifts[:SAMPLE_ROWS_MAX]]),
    }


def _shown(drift: Drift) -> dict[str, Any]:
    return {
        "kind": drift.kind,
        **drift.key,
        "why": drift.why,
        "ours": drift.ours,
        "theirs": drift.theirs,
        "repair": drift.repair,
    }
