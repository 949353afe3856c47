"""Components: what the scaffolders write loads, and what can't be is refused."""

from typing import Any

import dagster as dg
import pytest
from dagster.components.testing.utils import component_defs, create_defs_folder_sandbox

from hub_assets import components, graph
from hub_assets.components import AlertRoutes, Channels, Reconciliation, StreamTable
from hub_assets.defs.automation.refresh import CHECKS

pytestmark = pytest.mark.filterwarnings("ignore")  # Dagster warns of its own matters


@pytest.mark.parametrize("component", [AlertRoutes, Channels, Reconciliation, StreamTable])
def test_what_a_scaffolder_writes_loads(component: type[dg.Component]) -> None:
    with create_defs_folder_sandbox() as sandbox:
        path = sandbox.scaffold_component(component_cls=component, defs_path="made")
        assert (path / "defs.yaml").exists()
        with sandbox.load_component_and_build_defs(defs_path=path) as (loaded, definitions):
            assert isinstance(loaded, component)
            assert definitions.assets or definitions.sensors


@pytest.mark.parametrize("component", [AlertRoutes, Channels, Reconciliation, StreamTable])
def test_a_component_has_words_and_a_schema(component: type[dg.Component]) -> None:
    assert component.__doc__
    schema = component.get_model_cls().model_json_schema()  # type: ignore[union-attr]
    assert schema["properties"]
    assert component.__name__ in vars(components)


def test_a_new_channel_is_joined_to_its_topics_by_configuration() -> None:
    channel = {"name": "tmall", "title": "Tmall", "topics": ["commerce.orders.v1"]}
    table = {"name": "orders", "topics": ["commerce.orders.v1"], "rows": "One row per order."}
    topic = dg.Definitions(assets=[dg.AssetSpec(dg.AssetKey(["kafka", "commerce.orders.v1"]))])
    whole = graph.joined(
        dg.Definitions.merge(
            component_defs(component=made(Channels, channels=[channel])),
            component_defs(component=made(StreamTable, tables=[table], subject="orders")),
            topic,
        )
    ).resolve_asset_graph()
    orders = whole.get(dg.AssetKey(["hub", "orders"]))
    (above,) = orders.parent_keys
    assert whole.get(above).parent_keys == {dg.AssetKey(["channels", "tmall"])}
    assert orders.freshness_policy is not None


def test_a_comparison_is_no_part_of_the_refresh_of_the_marts() -> None:
    comparison = made(
        Reconciliation,
        name="web_members",
        channel="web",
        noun="members",
        their_list={"file": "members.csv"},
        key={"account": "id"},
    )
    whole = component_defs(component=comparison).resolve_asset_graph()
    assert whole.asset_check_keys
    assert CHECKS.resolve_checks(whole) == set()


@pytest.mark.parametrize(("address", "schedules"), [("", 0), ("http://127.0.0.1:1/list", 1)])
def test_a_comparison_waits_until_somebody_says_where_the_list_is(
    address: str, schedules: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEST_LIST_URL", address)
    comparison = made(
        Reconciliation,
        name="web_members",
        channel="web",
        noun="members",
        their_list={"url_env": "TEST_LIST_URL"},
        key={"account": "id"},
    )
    loaded = component_defs(component=comparison)
    assert len(list(loaded.schedules or ())) == schedules
    assert loaded.resolve_job_def("reconcile_web_members")


@pytest.mark.parametrize("topic", ["hub.facts.v1", "typo"])
def test_a_table_of_a_topic_that_the_workers_do_not_read_is_refused(topic: str) -> None:
    table = {"name": "orders", "topics": [topic], "rows": "One row per order."}
    with pytest.raises(Exception, match="do not read"):
        made(StreamTable, tables=[table], subject="orders")


def made(component: type[dg.Component], **attributes: Any) -> dg.Component:
    return component.from_attributes_dict(attributes=attributes)
