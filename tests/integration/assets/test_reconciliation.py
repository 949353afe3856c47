"""Reconciliation with a channel's list, by file and by HTTP, on a fresh database."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import psycopg
import pytest
from dagster.components.testing.utils import component_defs

from hub.settings import Settings
from hub.store import db
from hub.store.digest import digest
from hub_assets.components import Reconciliation
from tests.event_maker import Shop
from tests.integration.assets.receiver import Receiver, receiver
from tests.integration.assets.test_upkeep_jobs import take

pytestmark = pytest.mark.filterwarnings("ignore")  # Dagster warns of its own matters

WEB = Shop("web")
LIST = "number,shop,amount\nW-1,1,198.00\nW-2,1,20.00\nW-9,1,5.00\n"
ATTRIBUTES: dict[str, Any] = {
    "name": "web_orders",
    "channel": "web",
    "noun": "orders",
    "their_list": {"file": "lists/web.csv"},
    "key": {"shop": "shop", "order_number": "number"},
    "values": [{"ours": "total_minor", "theirs": "amount"}],
}


def order(number: str, amount: str, shop: Shop = WEB) -> bytes:
    line = {"line": "1", "sku": "CAKE", "quantity": "1", "unit_price": amount, "amount": amount}
    placed = {"order_number": number, "currency": "CNY", "total": amount, "lines": [line]}
    return shop.body("order.placed", 0, **placed)


@pytest.fixture
def orders(hub: Settings) -> Settings:
    """Three orders of the channel, and one of another."""
    mine = [order("W-1", "198.00"), order("W-2", "21.00"), order("W-3", "8.00")]
    take(hub, *mine, order("T-1", "1.00", Shop("till")))
    return hub


@pytest.fixture
def listed(orders: Settings) -> Settings:
    """The channel's list, in the data folder."""
    path = orders.data_dir / "lists" / "web.csv"
    path.parent.mkdir(exist_ok=True)
    path.write_text(LIST, encoding="utf-8")
    return orders


@pytest.fixture
def server() -> Iterator[Receiver]:
    with receiver() as found:
        yield found


def reconcile(tmp_path: Path, **attributes: Any) -> dg.ExecuteInProcessResult:
    made = Reconciliation.from_attributes_dict(attributes=ATTRIBUTES | attributes)
    job = component_defs(component=made).resolve_job_def("reconcile_web_orders")
    with dg.DagsterInstance.local_temp(
        str(tmp_path), overrides={"telemetry": {"enabled": False}}
    ) as instance:
        return job.execute_in_process(instance=instance, raise_on_error=False)


def rows(hub: Settings, query: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(hub.dsn("reader")) as connection:
        return connection.execute(query.encode()).fetchall()


async def state(hub: Settings) -> Any:
    connection = await db.connect(hub.dsn("writer"))
    try:
        return await digest(connection)
    finally:
        await connection.close()


def test_drift_is_counted_kept_and_fails_the_check_and_the_hub_is_untouched(
    listed: Settings, tmp_path: Path
) -> None:
    before = asyncio.run(state(listed))
    result = reconcile(tmp_path)
    assert result.success
    (check,) = result.get_asset_check_evaluations()
    assert not check.passed
    assert check.metadata["rows"].value == 3
    assert check.metadata["sync_accuracy"].value == 0.25
    assert rows(listed, "select kind, key ->> 'order_number' from recon.drift order by line") == [
        ("differs", "W-2"),
        ("only_here", "W-3"),
        ("only_there", "W-9"),
    ]
    counts = "select matched, differing, only_here, only_there from recon.comparisons"
    assert rows(listed, counts) == [(1, 1, 1, 1)]
    assert asyncio.run(state(listed)) == before


def test_a_list_that_agrees_passes_the_check(listed: Settings, tmp_path: Path) -> None:
    text = "number,shop,amount\nW-1,1,198.00\nW-2,1,21.00\nW-3,1,8.00\n"
    (listed.data_dir / "lists" / "web.csv").write_text(text, encoding="utf-8")
    (check,) = reconcile(tmp_path).get_asset_check_evaluations()
    assert check.passed
    assert check.metadata["sync_accuracy"].value == 1.0


def test_a_list_is_read_over_all_its_pages_with_a_token(
    orders: Settings, tmp_path: Path, server: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = [
        {"number": "W-1", "shop": 1, "amount": 198.00},
        {"number": "W-2", "shop": 1, "amount": 21},
    ]
    second = [{"number": "W-3", "shop": 1, "amount": "8.00"}]
    server.pages = {
        "/hook": json.dumps({"data": {"orders": first}, "next": "/page-2"}).encode(),
        "/page-2": json.dumps({"data": {"orders": second}, "next": None}).encode(),
    }
    monkeypatch.setenv("TEST_LIST_URL", server.url)
    monkeypatch.setenv("TEST_LIST_TOKEN", "Bearer t")
    source = {"url_env": "TEST_LIST_URL", "token_env": "TEST_LIST_TOKEN", "format": "json",
              "rows": "data.orders", "next": "next"}  # fmt: skip
    (check,) = reconcile(tmp_path, their_list=source).get_asset_check_evaluations()
    assert check.passed
    assert [one["authorization"] for one in server.headers] == ["Bearer t"] * 2


def test_a_next_page_on_another_server_gets_no_token(
    orders: Settings, tmp_path: Path, server: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.pages = {"/hook": b'{"rows": [], "next": "http://127.0.0.1:1/steal"}'}
    monkeypatch.setenv("TEST_LIST_URL", server.url)
    source = {"url_env": "TEST_LIST_URL", "format": "json", "rows": "rows", "next": "next"}
    result = reconcile(tmp_path, their_list=source)
    assert not result.success
    assert rows(orders, "select to_regclass('recon.drift')") == [(None,)]


def test_a_shop_with_a_list_of_its_own_is_compared_alone(orders: Settings, tmp_path: Path) -> None:
    take(orders, order("W-4", "5.00", Shop("web", "second")))
    path = orders.data_dir / "lists" / "second.csv"
    path.parent.mkdir(exist_ok=True)
    path.write_text("number,shop,amount\nW-4,second,5.00\n", encoding="utf-8")
    result = reconcile(tmp_path, their_list={"file": "lists/second.csv"}, shop="second")
    (check,) = result.get_asset_check_evaluations()
    assert (check.passed, check.metadata["matched"].value) == (True, 1)


def test_a_missing_list_fails_the_run_and_is_no_drift(orders: Settings, tmp_path: Path) -> None:
    result = reconcile(tmp_path, their_list={"file": "lists/none.csv"})
    assert not result.success
    assert not result.get_asset_check_evaluations()


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"key": {"order_number": "number"}}, "the key of orders is shop, order_number"),
        ({"values": [{"ours": "phone", "theirs": "phone"}]}, "orders have no phone"),
        ({"their_list": {}}, "either `file` or `url_env`"),
        (
            {"noun": "members", "key": {"account": "id"}, "values": [], "window_days": 1},
            "only orders have a shop and a window",
        ),
    ],
)
def test_a_mapping_that_cannot_be_is_refused_when_it_is_loaded(
    changes: dict[str, Any], words: str
) -> None:
    with pytest.raises(Exception, match=words):
        Reconciliation.from_attributes_dict(attributes=ATTRIBUTES | changes)


@pytest.mark.parametrize("noun", ["stock", "members", "points"])
def test_each_noun_can_be_compared(orders: Settings, tmp_path: Path, noun: str) -> None:
    from hub.store.listing import NOUNS

    listed = NOUNS[noun]  # type: ignore[index]
    path = orders.data_dir / "lists" / "other.csv"
    path.parent.mkdir(exist_ok=True)
    path.write_text(",".join(listed.key) + "\n", encoding="utf-8")
    result = reconcile(
        tmp_path,
        noun=noun,
        their_list={"file": "lists/other.csv"},
        key={name: name for name in listed.key},
        values=[{"ours": name, "theirs": name} for name in listed.values],
    )
    assert result.success
