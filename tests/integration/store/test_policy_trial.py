"""`hub member try-policy`: what another policy would make of the members there are."""

import asyncio
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from hub.cli.members import app
from hub.store import db
from hub.testing import Database
from tests.event_maker import Shop
from tests.integration.store.stage import Store

WEB, MINI = Shop("web"), Shop("mini")
PHONE = {"type": "phone", "value": "139 1234 5678", "proof": "verified"}
EMAIL = {"type": "email", "value": "x@example.com", "proof": "verified"}


@pytest.fixture
def hub(database: Database, monkeypatch: pytest.MonkeyPatch) -> CliRunner:
    """The command line on a hub with a family that shares a phone, and one with two accounts."""
    for name, value in database.settings.environment().items():
        monkeypatch.setenv(name, value)

    async def take() -> None:
        store = Store(database, await db.connect(database.dsn("writer")))
        unionids = [{"type": "unionid", "value": f"u{n}", "proof": "verified"} for n in (1, 2)]
        shown = [
            (WEB, "mother", [PHONE, unionids[0]]), (MINI, "daughter", [PHONE, unionids[1]]),
            (WEB, "a", [EMAIL]), (MINI, "b", [EMAIL]), (MINI, "c", []),
        ]  # fmt: skip
        for minute, (shop, account, identifiers) in enumerate(shown):
            data = {"account": account, "identifiers": identifiers}
            await store.take(shop.body("member.identified", minute, **data))
        await store.connection.close()

    asyncio.run(take())
    return CliRunner()


def test_a_policy_change_is_tried_on_existing_members_and_changes_nothing(
    hub: CliRunner, tmp_path: Path
) -> None:
    file = tmp_path / "policy.json"
    types = [{"type": "unionid"}, {"type": "phone"}, {"type": "email", "joins": False}]
    file.write_text(json.dumps({"version": "bold", "types": types}))
    for _ in range(2):
        found = hub.invoke(app, ["try-policy", str(file), "--json"])
        assert json.loads(found.stdout) == {
            "merged": [["mini/daughter", "web/mother"]],
            "split": [["mini/b", "web/a"]],
        }
    told = hub.invoke(app, ["try-policy", str(file)]).stdout
    assert "would be one: mini/daughter, web/mother" in told
    assert "1 merges, 1 partings" in told


def test_the_policy_in_force_changes_nothing(hub: CliRunner) -> None:
    own = Path(__file__).parents[3] / "hub" / "domain" / "matching_policy.json"
    found = hub.invoke(app, ["try-policy", str(own), "--json"])
    assert json.loads(found.stdout) == {"merged": [], "split": []}


def test_a_policy_that_cannot_be_read_is_named(hub: CliRunner, tmp_path: Path) -> None:
    file = tmp_path / "policy.json"
    file.write_text('{"version": "1", "types": [{"type": "fax"}]}')
    found = hub.invoke(app, ["try-policy", str(file)])
    assert found.exit_code != 0
    assert "fax" in found.output
