"""The opening load of a channel from a file: looked at, sent, sent again."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from hub.cli.channels import app
from hub.settings import Settings
from hub.testing import Database
from tests.integration.channels.conftest import Hub

ROWS = "会员号,可用积分\n00017,120\n00018,30\n4.83E+18,7\n"
BALANCES = "select open_points from points_accounts order by open_points"


@pytest.fixture
def environment(database: Database, broker: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = database.settings.model_copy(update={"kafka_brokers": broker.brokers})
    for name, value in settings.environment().items():
        monkeypatch.setenv(name, value)


COUPONS = """券号,会员号,类型,面值,有效期至,售价
CAKE-1,00017,提货券,198.00,2036-09-01 23:59:59,168.00
TEN-1,00018,满减券,10.00,2036-09-01 23:59:59,
TEN-2,00018,满减券,十元,2036-09-01 23:59:59,
TEN-1,00019,满减券,10.00,2036-09-01 23:59:59,
"""


async def test_opening_coupons_are_loaded_from_a_file_once_with_what_is_owed_for_them(
    hub: Hub, environment: None, tmp_path: Path
) -> None:
    file = tmp_path / "coupons.csv"
    file.write_bytes(COUPONS.encode("gb18030"))
    await hub.configure("crm", pack="crm_generic")
    arguments = ["load", hub.name("crm"), "coupons", str(file), "--as-of", "2026-03-01", "--json"]

    async def load(*more: str) -> Any:
        told = await asyncio.to_thread(CliRunner().invoke, app, [*arguments, *more])
        return json.loads(told.stdout)

    looked = await load()
    assert (looked["rows"], looked["taken"], looked["total"]) == (4, 2, "208")
    # A face value that is no number, and a code that stands twice.
    assert [fault["row"] for fault in looked["faults"]] == [4, 5]
    for _ in range(2):
        assert (await load("--send", "--skip-bad"))["sent"] is True
    tally = await hub.store(await hub.read(4))
    assert (tally.duplicates, tally.dead_letters) == (2, 0)
    rows = await hub.rows("select code, kind, paid_minor from coupons order by code")
    assert [tuple(row) for row in rows] == [
        ("CAKE-1", "exchange", 16800), ("TEN-1", "discount", None),
    ]  # fmt: skip
    assert await hub.rows("select from points_accounts where open_points > 0") == []


async def test_opening_points_are_loaded_from_a_file_once_however_often_it_is_sent(
    hub: Hub, environment: None, tmp_path: Path
) -> None:
    file = tmp_path / "points.csv"
    file.write_bytes(ROWS.encode("gb18030"))
    await hub.configure("crm", pack="crm_generic")
    arguments = ["load", hub.name("crm"), "points", str(file), "--as-of", "2026-03-01"]

    async def load(*more: str) -> Any:
        return await asyncio.to_thread(CliRunner().invoke, app, [*arguments, *more, "--json"])

    looked = json.loads((await load()).stdout)
    assert (looked["rows"], looked["taken"], looked["total"]) == (3, 2, "150")
    assert looked["faults"][0]["row"] == 4
    assert looked["sent"] is False
    refused = await load("--send")
    assert refused.exit_code == 1
    assert "1 rows are refused" in refused.stdout
    for _ in range(2):
        sent = await load("--send", "--skip-bad")
        assert json.loads(sent.stdout)["sent"] is True
    tally = await hub.store(await hub.read(4))
    assert (tally.duplicates, tally.dead_letters) == (2, 0)
    assert [row["open_points"] for row in await hub.rows(BALANCES)] == [30, 120]
