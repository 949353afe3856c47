"""The asset graph as Dagster loads it: loaded once, since that takes some seconds."""

import difflib
import os
import re
import time
import tomllib
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
import yaml

from hub.domain import topics
from hub.store import check, overdue
from hub.testing import RUN_VARIABLE
from hub_assets import automation, columns, dictionary, lineage, project, streams
from hub_assets.components import reconciliation
from hub_assets.definitions import defs
from hub_assets.project import Project
from hub_assets.testing import MARTS
from hub_assets.warehouse import COLUMN_LINEAGE

pytestmark = pytest.mark.filterwarnings("ignore")  # Dagster and dbt warn of their own matters

ROOT = Path(__file__).parents[2]
SNAPSHOT = Path(__file__).with_name("asset_graph.txt")
UPDATE_VARIABLE = "UPDATE_SNAPSHOTS"
SUBJECTS = {"members", "points", "coupons", "orders", "stock", "catalog", "money", "sales", "sync"}
LISTED = {"int_days_counted", "int_festivals_listed", "int_segments_listed"}
"""Models that come from no event."""


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """The environment of a hub that doesn't run."""
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith(("HUB_", "DBT_", "DAGSTER_"))]:
            if name != RUN_VARIABLE:
                patch.delenv(name)
        patch.setenv("HUB_DATA_DIR", str(tmp_path_factory.mktemp("hub")))
        yield


@pytest.fixture(scope="module")
def definitions(hub: None) -> dg.Definitions:
    from hub import settings

    project.prepare(settings.load())
    started = time.monotonic()
    loaded = defs()
    took = time.monotonic() - started
    print(f"definitions load in {took:.1f} s")  # noqa: T201  a figure to look at, not to fail by
    return loaded


@pytest.fixture(scope="module")
def parsed(definitions: dg.Definitions) -> Project:
    from hub import settings

    return project.prepare(settings.load())


@pytest.fixture(scope="module")
def graph(definitions: dg.Definitions) -> Any:
    return definitions.resolve_asset_graph()


def test_the_graph_is_the_one_we_know(graph: Any) -> None:
    """A change of the graph is seen in review. UPDATE_SNAPSHOTS=1 writes it anew."""
    lines = []
    for key in sorted(graph.get_all_asset_keys()):
        lines.append(f"{key.to_user_string()} ({graph.get(key).group_name})")
        lines += [f"    <- {up.to_user_string()}" for up in sorted(graph.get(key).parent_keys)]
        lines += [f"    check {one.name}" for one in sorted(graph.get_check_keys_for_assets({key}))]
    text = "\n".join(lines) + "\n"
    if os.environ.get(UPDATE_VARIABLE):
        SNAPSHOT.write_text(text, encoding="utf-8")
    known = SNAPSHOT.read_text(encoding="utf-8")
    assert text == known, "\n".join(
        difflib.unified_diff(known.splitlines(), text.splitlines(), lineterm="")
    )


def test_every_mart_is_there_and_reaches_a_topic(graph: Any) -> None:
    for mart in MARTS:
        upstream = ancestors(graph, dg.AssetKey(["marts", mart]))
        assert any(key.path[0] == "kafka" for key in upstream), mart


def test_nothing_hangs_in_the_air(graph: Any) -> None:
    """Only channels and lists of our own begin a path, and every path that leaves one leads on;
    models end in a mart."""
    for key in graph.get_all_asset_keys():
        node = graph.get(key)
        begins = key.path[0] == "channels" or key.path[-1] in LISTED
        assert node.parent_keys or begins, key
        if key.path[0] in ("channels", "staging", "intermediate"):
            assert node.child_keys, key
        if not begins:
            assert any(up.path[0] == "channels" for up in ancestors(graph, key)), key


def test_every_asset_has_an_owner_a_kind_a_group_and_its_code(graph: Any) -> None:
    for key in graph.get_all_asset_keys():
        node = graph.get(key)
        assert node.owners, key
        assert node.kinds, key
        assert node.group_name not in (None, "default"), key
        assert node.description, key
        for reference in node.metadata["dagster/code_references"].code_references:
            assert Path(reference.file_path).exists(), key


def test_every_topic_that_channels_write_feeds_a_table(graph: Any) -> None:
    fed_by = {topic for fed in streams.tables(graph).values() for topic in fed}
    assert fed_by == set(topics.COMMERCE)


def test_every_table_of_the_hub_is_an_asset_or_says_why_not(graph: Any) -> None:
    """And no table is named that does not exist."""
    made = set()
    for path in (ROOT / "hub" / "store" / "migrations" / "sql").glob("*.sql"):
        text = path.read_text(encoding="utf-8")
        made |= set(re.findall(r"^create table (\w+) \($", text, re.MULTILINE))
    assets = {table for schema, table in streams.tables(graph) if schema == "hub"}
    assert not assets & streams.INTERNAL.keys()
    assert assets | streams.INTERNAL.keys() == made


def test_marts_have_owner_group_words_and_freshness(graph: Any) -> None:
    for mart in MARTS:
        node = graph.get(dg.AssetKey(["marts", mart]))
        assert node.owners, mart
        assert node.group_name in SUBJECTS
        assert node.description.startswith("One row per"), mart
        assert "每行" in node.description, mart
        assert node.freshness_policy is not None, mart
        assert {"dbt", "postgres"} <= node.kinds, mart
        columns = node.metadata[COLUMN_LINEAGE].deps_by_column
        assert columns, mart


def test_tables_and_topics_have_kinds_and_tables_a_freshness_policy(graph: Any) -> None:
    for key in graph.get_all_asset_keys():
        node = graph.get(key)
        if key.path[0] == "kafka":
            assert "kafka" in node.kinds
        if key.path[0] in ("hub", "log"):
            assert "postgres" in node.kinds
            assert node.freshness_policy is not None


def test_every_dbt_test_and_every_stored_invariant_is_an_asset_check(
    graph: Any, parsed: Project
) -> None:
    names = {
        key.name for key in graph.asset_check_keys if key.asset_key.path[0] != reconciliation.GROUP
    }
    tests = {
        node["name"]
        for node in parsed.manifest()["nodes"].values()
        if node["resource_type"] == "test"
    }
    stored = {one.name for one in check.INVARIANTS if one.proof == "store"}
    others = {
        *("readers_see_the_last_build", "volumes_are_like_their_past", columns.CHECK),
        "rules_run_well",
    }
    assert names == tests | stored | others


def test_sensors_and_schedules_are_on_by_default(definitions: dg.Definitions) -> None:
    sensors = {sensor.name: sensor for sensor in definitions.sensors or ()}
    assert set(sensors) == {"streams_observed", "build_when_events_came", "alert_operations"}
    for sensor in sensors.values():
        assert sensor.default_status == dg.DefaultSensorStatus.RUNNING
    schedules = {one.name: one for one in definitions.schedules or () if hasattr(one, "name")}
    assert set(schedules) == {
        "end_overdue_hourly",
        "close_missing_days",
        "log_partitions_daily",
        "forget_daily",
    }
    for schedule in schedules.values():
        assert schedule.default_status == dg.DefaultScheduleStatus.RUNNING


def test_all_that_ends_by_time_has_a_job(graph: Any) -> None:
    for one in overdue.OVERDUE:
        assert dg.AssetKey(["upkeep", f"{one.name}_ended"]) in graph.get_all_asset_keys()


def test_the_code_location_has_one_name_everywhere() -> None:
    tool = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["dg"]["project"]
    location = yaml.safe_load((ROOT / "workspace.yaml").read_text())["load_from"][0]
    assert tool["root_module"] == "hub_assets"
    assert location["python_module"]["location_name"] == tool["code_location_name"]
    assert location["python_module"]["module_name"] == "hub_assets.definitions"


def test_the_data_dictionary_page_is_current(parsed: Project) -> None:
    current = dictionary.page(parsed.manifest(), parsed.lineage())
    assert dictionary.PAGE.read_text(encoding="utf-8") == current, (
        "run python -m hub_assets.dictionary"
    )


def test_every_column_of_a_mart_leads_back_to_the_hub(parsed: Project) -> None:
    found = parsed.lineage()
    counted = {
        ("marts.members", "profile_count"),
        ("marts.segments", "segment"),
        ("marts.segments", "segment_zh"),
    }
    for relation in (f"marts.{mart}" for mart in MARTS - {"dates"}):
        for column in found[relation]:
            origins = lineage.origins(found, (relation, column))
            assert origins or (relation, column) in counted, (relation, column)
            assert all(of.startswith(("hub.", "log.")) for of, _ in origins), (relation, column)


def test_a_computed_column_names_all_it_is_made_of(parsed: Project) -> None:
    found = parsed.lineage()
    assert lineage.origins(found, ("marts.stock_positions", "available_quantity")) == {
        ("hub.stock_positions", f"{part}_milli")
        for part in ("on_hand", "committed", "reserved", "unavailable")
    }
    assert lineage.origins(found, ("marts.orders", "placed_date")) == {("hub.orders", "placed_at")}


def test_events_make_the_whole_warehouse_wanted_at_once_at_the_next_refresh(
    definitions: dg.Definitions,
) -> None:
    minutes = Minutes(definitions)
    minutes.at(1)
    assert minutes.at(5) == minutes.models  # nothing was ever built
    assert minutes.checks_wanted == minutes.checks
    minutes.build()
    assert minutes.at(6) == set()
    assert minutes.at(10) == set()  # no events since
    minutes.events("7")
    assert minutes.at(11) == set()  # not yet time
    assert minutes.at(15) == minutes.models
    minutes.build()
    minutes.events("7")  # the same, reported again
    assert minutes.at(20) == set()


class Minutes:
    """A morning, minute by minute, as the automation sensor sees it."""

    def __init__(self, definitions: dg.Definitions) -> None:
        self.definitions = definitions
        self.instance = dg.DagsterInstance.ephemeral()
        self.cursor: Any = None
        self.checks_wanted: set[dg.AssetCheckKey] = set()
        graph = definitions.resolve_asset_graph()
        self.checks = {
            key
            for key in graph.asset_check_keys
            if key.asset_key.path[0] in ("staging", "marts")
            and key.name != "readers_see_the_last_build"  # hourly
        }
        self.models = {
            key
            for key in graph.get_all_asset_keys()
            if key.path[0] in ("staging", "intermediate", "marts")
        }

    def at(self, minute: int) -> set[dg.AssetKey]:
        """The models wanted at this minute. Two ticks: cron ticks need one before."""
        result = dg.evaluate_automation_conditions(
            self.definitions,
            self.instance,
            asset_selection=dg.AssetSelection.all(include_sources=True)
            | dg.AssetSelection.all_asset_checks(),
            evaluation_time=datetime(2026, 3, 1, 8, minute, 1, tzinfo=UTC),
            cursor=self.cursor,
        )
        self.cursor = result.cursor
        wanted = [one.key for one in result.results if one.true_subset.size]
        self.checks_wanted = {key for key in wanted if isinstance(key, dg.AssetCheckKey)}
        return {key for key in self.models if result.get_num_requested(key)}

    def build(self) -> None:
        for key in self.models:
            self.instance.report_runless_asset_event(dg.AssetMaterialization(key))

    def events(self, version: str) -> None:
        self.instance.report_runless_asset_event(
            dg.AssetMaterialization(automation.EVENTS, tags={"dagster/data_version": version})
        )


def ancestors(graph: Any, key: dg.AssetKey) -> set[dg.AssetKey]:
    found: set[dg.AssetKey] = set()
    wanted = [key]
    while wanted:
        parents = graph.get(wanted.pop()).parent_keys - found
        found |= parents
        wanted += parents
    return found
