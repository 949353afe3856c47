"""Columns of stream tables: a change is said once, on its table."""

import dagster as dg
import psycopg
import pytest
from dagster.components.testing.utils import component_defs

from hub.settings import Settings
from hub_assets import columns
from hub_assets.components import StreamTable

pytestmark = pytest.mark.filterwarnings("ignore")  # Dagster warns of its own matters

ORDERS = "commerce.orders.v1"
ATTRIBUTES = {
    "subject": "orders",
    "tables": [
        {"name": "orders", "topics": [ORDERS], "rows": "One row per order."},
        {"name": "order_lines", "topics": [ORDERS], "rows": "One row per line."},
    ],
}


def look(instance: dg.DagsterInstance) -> dict[str, object]:
    """Run the checks; table -> what changed."""
    made = component_defs(component=StreamTable.from_attributes_dict(attributes=ATTRIBUTES))
    job = dg.define_asset_job("look", selection=dg.AssetSelection.all_asset_checks())
    found = dg.Definitions.merge(made, dg.Definitions(jobs=[job])).resolve_job_def("look")
    done = found.execute_in_process(instance=instance).get_asset_check_evaluations()
    assert all(one.passed == (one.metadata["changed"].value == []) for one in done)
    return {one.asset_key.path[-1]: one.metadata["changed"].value for one in done}


def test_a_change_of_columns_is_said_once_and_on_its_table(
    hub: Settings, instance: dg.DagsterInstance
) -> None:
    nothing = {"orders": [], "order_lines": []}
    assert look(instance) == nothing  # the first look has nothing to compare with
    with psycopg.connect(hub.dsn("owner")) as owner:
        owner.execute("alter table hub.order_lines add column colour text")
        owner.execute("alter table hub.order_lines alter column line type varchar(9)")
    assert look(instance) == nothing | {
        "order_lines": ["colour is new: text", "line was text, is character varying(9)"]
    }
    assert look(instance) == nothing


def test_a_table_that_is_gone_has_lost_all_its_columns() -> None:
    assert columns.difference({"sku": "text"}, {}) == ["sku is gone"]
