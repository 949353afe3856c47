"""The dbt project as a Dagster component: all marts of a run read one snapshot of the hub.

Not here: the models (`dbt_project`), and when they are built (`hub_assets.automation`).
"""

import contextlib
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from pathlib import Path
from typing import Any

import dagster as dg
import psycopg
from dagster_dbt import DbtCliResource, DbtProject, DbtProjectComponent
from psycopg import sql

from hub import settings
from hub_assets import automation, check_words, failing_rows, project, publishing
from hub_assets.dbt import (
    CONNECT_TIMEOUT_S,
    SNAPSHOT_VARIABLE,
    environment,
    run_snapshot,
    variables,
)
from hub_assets.lineage import Column, Lineage

# Marts follow within minutes while events come; a day without any is a closed shop or a fault.
STALE = dg.FreshnessPolicy.time_window(fail_window=timedelta(hours=24))
ROW_COUNT = "dagster/row_count"
MART_OUTPUT = "marts__"
COLUMN_LINEAGE = "dagster/column_lineage"


@dataclass
class Warehouse(DbtProjectComponent):
    """Staging, intermediate and mart models, with their tests as asset checks.

    Row counts and column lineage are our own: the component's way of fetching them keeps a whole
    core busy with waiting for as long as dbt runs.
    """

    def build_defs_from_state(
        self, context: dg.ComponentLoadContext, state_path: Path | None
    ) -> dg.Definitions:
        """Parse the project first, if it changed since it was parsed."""
        project.prepare(settings.load())
        return super().build_defs_from_state(context, state_path)

    def get_asset_spec(
        self, manifest: Mapping[str, Any], unique_id: str, project: DbtProject | None
    ) -> dg.AssetSpec:
        """Marts are grouped by subject, what leads to them by layer."""
        spec = super().get_asset_spec(manifest, unique_id, project)
        node = self.get_resource_props(manifest, unique_id)
        if node["resource_type"] != "model":
            return spec
        layer = node["schema"]
        is_mart = layer == "marts"
        columns = self._lineage.get(f"{layer}.{node['name']}", {})
        return spec.replace_attributes(
            description=_description(node),
            group_name=node["config"]["group"] if is_mart else layer,
            automation_condition=automation.when_events_came(),
            freshness_policy=STALE if is_mart else None,
        ).merge_attributes(metadata={COLUMN_LINEAGE: _column_lineage(columns)})

    def get_asset_check_spec(
        self,
        asset_spec: dg.AssetSpec,
        manifest: Mapping[str, Any],
        unique_id: str,
        project: DbtProject | None,
    ) -> dg.AssetCheckSpec | None:
        """Tests run with the build of their models."""
        spec = super().get_asset_check_spec(asset_spec, manifest, unique_id, project)
        return spec and spec._replace(
            automation_condition=automation.when_events_came(),
            description=check_words.words(manifest["nodes"][unique_id]),
        )

    def execute(self, context: dg.AssetExecutionContext, dbt: DbtCliResource) -> Iterator[Any]:
        """Build what was asked for, on one snapshot of the hub."""
        hub = settings.load()
        with _one_snapshot(hub), _scratch_folder() as target, _reader(hub) as reader:
            command = dbt.cli(self.get_cli_args(context), context=context, target_path=target)
            try:
                for event in command.stream():
                    if isinstance(event, dg.Output) and event.output_name.startswith(MART_OUTPUT):
                        yield _with_row_count(reader, event)
                    elif isinstance(event, dg.AssetCheckResult) and not event.passed:
                        yield failing_rows.with_rows(event, reader, target, self._manifest)
                    else:
                        yield event
            finally:
                said = publishing.evaluation(publishing.state(reader))
                context.log.info(said.description)
                context.instance.report_runless_asset_event(said)

    @cached_property
    def _manifest(self) -> Mapping[str, Any]:
        return project.prepare(settings.load()).manifest()

    @cached_property
    def _lineage(self) -> Lineage:
        return project.prepare(settings.load()).lineage()


@contextlib.contextmanager
def _one_snapshot(hub: settings.Settings) -> Iterator[None]:
    """dbt's environment, with the snapshot that all marts read."""
    with contextlib.ExitStack() as stack:
        snapshot = stack.enter_context(run_snapshot(hub.dsn("dbt")))
        stack.enter_context(variables(environment(hub) | {SNAPSHOT_VARIABLE: snapshot}))
        yield


@contextlib.contextmanager
def _scratch_folder() -> Iterator[Path]:
    """Where one run of dbt writes what it compiled; a run every five minutes would fill a disk."""
    with tempfile.TemporaryDirectory(prefix="hub-dbt-") as folder:
        yield Path(folder)


def _reader(hub: settings.Settings) -> psycopg.Connection:
    return psycopg.connect(hub.dsn("dbt"), connect_timeout=CONNECT_TIMEOUT_S, autocommit=True)


def _with_row_count(reader: psycopg.Connection, event: dg.Output) -> dg.Output:
    mart = sql.Identifier("candidates", event.output_name.removeprefix(MART_OUTPUT))
    row = reader.execute(sql.SQL("select count(*) from {}").format(mart)).fetchone()
    count = dg.MetadataValue.int(row[0] if row else 0)
    return event.with_metadata({**event.metadata, ROW_COUNT: count})


def _column_lineage(columns: Mapping[str, list[Column]]) -> dg.TableColumnLineage:
    return dg.TableColumnLineage(
        {
            column: [
                dg.TableColumnDep(asset_key=dg.AssetKey(relation.split(".")), column_name=name)
                for relation, name in parents
            ]
            for column, parents in columns.items()
        }
    )


def _description(node: Mapping[str, Any]) -> str:
    chinese = node["config"].get("meta", {}).get("description_zh", "")
    return "\n\n".join(filter(None, [node["description"], chinese]))
