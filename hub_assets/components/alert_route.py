"""The component that tells people when a check fails, and when it is well again.

A route is a sensor: it looks at the checks (and the freshness) of what it selects, sends one
message for each change, and keeps in its cursor what it has said. Not here: words and sending
(`hub_assets.alerts`).
"""

import fnmatch
import os
from collections.abc import Iterator
from typing import Literal

import dagster as dg
import msgspec
from dagster._core.definitions.freshness import FreshnessState
from dagster._core.storage.asset_check_execution_record import (
    AssetCheckExecutionRecord,
    AssetCheckExecutionRecordStatus,
)
from pydantic import BaseModel, Field

from hub import settings
from hub_assets.alerts import changes, delivery, messages
from hub_assets.alerts.changes import Change, Cursor, Seen
from hub_assets.alerts.delivery import Address, NotDelivered

INTERVAL_S = 30
MESSAGES_MAX = 10
"""In one look: robots take 20 a minute. The next look sends the rest."""
ROW_COUNTS = ("violations", "dagster_dbt/failed_row_count", "rows")
FRESHNESS = "freshness"


class AlertRoute(dg.Model, dg.Resolvable):
    """Who is told of what, and how."""

    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$", description="Names the sensor: alert_<name>")
    kind: Literal["webhook", "wecom", "feishu", "dingtalk", "slack", "mail"]
    url_env: str = Field(
        pattern=r"^[A-Z][A-Z0-9_]*$",
        description="The environment variable that holds the address; while it is unset, nothing"
        " is sent. For mail: smtp[s]://account:password@host:port/?from=…&to=…",
    )
    secret_env: str | None = Field(
        default=None,
        description="The variable that holds the secret for signatures (webhook, feishu, dingtalk)",
    )
    assets: str = Field(default="*", description="Assets, in Dagster's selection syntax")
    checks: list[str] = Field(
        default=["*"], description="Patterns of names of checks; `freshness` is the asset's own"
    )
    language: Literal["en", "zh"] = "en"


class AlertParams(BaseModel):
    """What `dg scaffold` asks for."""

    kind: str = "webhook"
    url_env: str = "HUB_ALERT_URL"


class AlertScaffolder(dg.Scaffolder[AlertParams]):
    """Writes a route for all checks."""

    @classmethod
    def get_scaffold_params(cls) -> type[AlertParams]:
        """Kind and variable."""
        return AlertParams

    def scaffold(self, request: dg.ScaffoldRequest[AlertParams]) -> None:
        """Write `defs.yaml`."""
        route = {"name": request.target_path.name, **request.params.model_dump()}
        dg.scaffold_component(request, {"routes": [route]})


@dg.scaffold_with(AlertScaffolder)
class AlertRoutes(dg.Component, dg.Model, dg.Resolvable):
    """One message for each check that fails, and one when it is well again."""

    routes: list[AlertRoute]

    def build_defs(self, context: dg.ComponentLoadContext) -> dg.Definitions:
        """A sensor a route, on by default."""
        return dg.Definitions(sensors=[_sensor(route) for route in self.routes])


def _sensor(route: AlertRoute) -> dg.SensorDefinition:
    @dg.sensor(
        name=f"alert_{route.name}",
        minimum_interval_seconds=INTERVAL_S,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description=f"Tells {route.kind} of checks that fail and recover, once each.",
    )
    def alert(context: dg.SensorEvaluationContext) -> dg.SensorResult | dg.SkipReason:
        url = os.environ.get(route.url_env, "")
        if not url:
            return dg.SkipReason(f"{route.url_env} is not set: nobody is told")
        secret = os.environ.get(route.secret_env, "") if route.secret_env else ""
        return _tell(context, route, Address(route.kind, url, secret))

    return alert


def _tell(
    context: dg.SensorEvaluationContext, route: AlertRoute, address: Address
) -> dg.SensorResult:
    """Send what changed. What could not be sent is new again at the next look."""
    hub = settings.load()
    cursor = _cursor(context.cursor)
    found = changes.changes(_seen(context, route), cursor)
    reason = f"{len(found)} changes" if found else "nothing changed"
    for change in found[:MESSAGES_MAX]:
        said = messages.message(change, route.language, hub.zone, _link(hub, change))
        try:
            delivery.deliver(address, said)
        except NotDelivered as error:
            reason = error.what
            context.log.warning(reason)
            break
        cursor = cursor.after(change)
    return dg.SensorResult(skip_reason=reason, cursor=msgspec.json.encode(cursor).decode())


def _seen(context: dg.SensorEvaluationContext, route: AlertRoute) -> Iterator[Seen]:
    """How each selected check, and each asset's freshness, stands; what never ran is left out."""
    assert context.repository_def is not None, "a sensor is evaluated in its repository"
    graph = context.repository_def.asset_graph
    assets = dg.AssetSelection.from_string(route.assets, include_sources=True).resolve(graph)
    storage = context.instance.event_log_storage
    wanted = [
        key
        for key in graph.asset_check_keys
        if (route.assets == "*" or key.asset_key in assets) and _matches(route, key.name)
    ]
    for key, summary in storage.get_asset_check_summary_records(wanted).items():
        record = summary.last_completed_check_execution_record
        if record is not None:
            yield _seen_check(key, record)
    if _matches(route, FRESHNESS):
        fresh = [
            key
            for key in graph.get_all_asset_keys()
            if (route.assets == "*" or key in assets) and graph.get(key).freshness_policy
        ]
        for key, record in context.instance.get_freshness_state_records(fresh).items():
            if record.freshness_state in (FreshnessState.PASS, FreshnessState.FAIL):
                is_failing = record.freshness_state is FreshnessState.FAIL
                at = record.updated_at.timestamp()
                yield Seen(key.to_user_string(), FRESHNESS, is_failing, at)


def _seen_check(key: dg.AssetCheckKey, record: AssetCheckExecutionRecord) -> Seen:
    event = record.event.dagster_event if record.event else None
    evaluation = event.asset_check_evaluation_data if event else None
    metadata = evaluation.metadata if evaluation else {}
    counts = [metadata[name].value for name in ROW_COUNTS if name in metadata]
    return Seen(
        key.asset_key.to_user_string(),
        key.name,
        is_failing=record.status is AssetCheckExecutionRecordStatus.FAILED,
        at=record.create_timestamp,
        words=(evaluation.description if evaluation else None) or "",
        rows=next((count for count in counts if isinstance(count, int)), None),
    )


def _matches(route: AlertRoute, name: str) -> bool:
    return any(fnmatch.fnmatchcase(name, pattern) for pattern in route.checks)


def _link(hub: settings.Settings, change: Change) -> str:
    return f"http://127.0.0.1:{hub.dagster_port}/assets/{change.seen.asset}?view=checks"


def _cursor(text: str | None) -> Cursor:
    try:
        return msgspec.json.decode(text or "{}", type=Cursor)
    except msgspec.MsgspecError:
        return Cursor()  # of another version: what fails is said once more
