"""The models' own unit tests, and what every model must say of itself."""

import pytest
from dbt.contracts.graph.manifest import Manifest
from dbt.contracts.graph.nodes import ModelNode

from hub_assets.testing import MARTS, Warehouse

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


def models(manifest: Manifest, schema: str | None = None) -> list[ModelNode]:
    return [
        node
        for node in manifest.nodes.values()
        if isinstance(node, ModelNode) and schema in (None, node.schema)
    ]


def test_the_logic_of_the_models_holds_on_examples(warehouse: Warehouse) -> None:
    assert warehouse.check(), warehouse.results
    assert warehouse.dbt("test", "--select", "test_type:unit"), warehouse.results


def test_lunar_festivals_fall_on_the_days_that_were_kept(warehouse: Warehouse) -> None:
    warehouse.build("--select", "+dates")
    days = warehouse.rows(
        "select to_char(calendar_date, 'YYYY-MM-DD'), festival_zh from candidates.dates"
        " where festival is not null"
    )
    kept = dict(days)
    assert kept["2020-01-24"] == "除夕"
    assert kept["2020-08-25"] == "七夕节", "a leap month came between Spring Festival and Qixi"
    assert kept["2020-10-01"] == "中秋节、国庆节"
    assert kept["2022-01-10"] == kept["2022-12-30"] == "腊八节"
    assert kept["2023-10-23"] == "重阳节"
    assert kept["2026-03-03"] == "元宵节"
    lunar = [festival for _, festivals in days for festival in festivals.split("、")]
    assert lunar.count("春节") == lunar.count("端午节") == lunar.count("中秋节") == 21


def test_a_view_is_made_once_and_again_when_what_it_reads_was_replaced(
    warehouse: Warehouse,
) -> None:
    view = "select 'staging.stg_hub__items'::regclass::oid::bigint"
    warehouse.build("--select", "stg_hub__items")
    made = warehouse.rows(view)
    warehouse.build("--select", "stg_hub__items")
    assert warehouse.rows(view) == made
    with warehouse.owner() as connection:
        connection.execute("alter table hub.items rename to items_of_old")
        connection.execute("create table hub.items (like hub.items_of_old including all)")
        connection.execute("grant select on hub.items to hub_dbt")
    warehouse.build("--select", "stg_hub__items")
    assert warehouse.rows(view) != made


def test_schemas_are_called_staging_intermediate_and_marts(manifest: Manifest) -> None:
    assert {node.schema for node in models(manifest)} == {"staging", "intermediate", "marts"}


def test_the_marts_are_those_that_were_promised(manifest: Manifest) -> None:
    assert {node.name for node in models(manifest, "marts")} == MARTS


def test_every_mart_is_public_with_a_contract_and_a_group(manifest: Manifest) -> None:
    for node in models(manifest, "marts"):
        assert node.access == "public", node.name
        assert node.contract.enforced, node.name
        assert node.group is not None, node.name
        assert node.tags == [node.group], node.name


def test_each_metric_that_was_promised_is_defined_once(manifest: Manifest) -> None:
    names = [metric.name for metric in manifest.metrics.values()]
    assert len(names) == len(set(names))
    assert set(names) >= {
        "gmv", "net_sales", "repurchase_rate", "cross_channel_share", "points_liability",
        "coupon_use_rate", "voucher_liability", "oversell_rate", "dispute_rate",
        "hours_to_solve_a_case", "manual_repairs", "sync_accuracy",
    }  # fmt: skip


def test_what_reads_the_marts_is_drawn_behind_them(manifest: Manifest) -> None:
    marts = {node.unique_id for node in models(manifest, "marts")}
    assert {one.name for one in manifest.exposures.values()} == {
        "console_portrait_page", "channel_sync_page", "operations_dashboard",
    }  # fmt: skip
    for one in manifest.exposures.values():
        assert set(one.depends_on.nodes) <= marts, one.name


def test_every_model_says_its_grain_first_and_describes_each_column(manifest: Manifest) -> None:
    for node in models(manifest):
        assert node.description.startswith(("One row per", "One row:")), node.name
        undescribed = [name for name, column in node.columns.items() if not column.description]
        assert not undescribed, (node.name, undescribed)
        assert node.columns, node.name


def test_every_mart_speaks_chinese_too(manifest: Manifest) -> None:
    for node in models(manifest, "marts"):
        assert node.meta["description_zh"].startswith("每行"), node.name
        for column in node.columns.values():
            assert column.config.meta["description_zh"], (node.name, column.name)


def test_the_columns_described_are_those_that_exist(warehouse: Warehouse) -> None:
    assert warehouse.check(), warehouse.results
    found = warehouse.rows(
        "select table_schema || '.' || table_name, array_agg(column_name::text)"
        " from information_schema.columns"
        " where table_schema in ('staging', 'intermediate', 'marts') group by 1"
    )
    columns = {relation: set(names) for relation, names in found}
    for node in models(warehouse.manifest):
        assert columns[f"{node.schema}.{node.name}"] == set(node.columns), node.name
