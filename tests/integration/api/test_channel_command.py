"""`hub channel`: a pack is written, tried, compared and put in force from the command line."""

import asyncio
import json
from pathlib import Path

import msgspec
import pytest
from typer.testing import CliRunner

from hub.cli.channels import app
from hub.store import channels, configs, db
from hub.store.configs import Draft
from hub.store.sealing import Vault
from hub.testing import Database


@pytest.fixture
def hub(database: Database, monkeypatch: pytest.MonkeyPatch) -> CliRunner:
    """The command line in an environment of this database."""
    for name, value in database.settings.environment().items():
        monkeypatch.setenv(name, value)
    return CliRunner()


def test_a_pack_is_written_tried_compared_and_put_in_force(hub: CliRunner, tmp_path: Path) -> None:
    file = tmp_path / "till.yaml"
    assert hub.invoke(app, ["new", str(file), "--like", "store_till"]).exit_code == 0
    tried = hub.invoke(app, ["test", str(file), "--json"])
    assert json.loads(tried.stdout) == {"pack": "store_till", "samples": 3, "failures": []}
    assert hub.invoke(app, ["diff", str(file)]).stdout == "nothing\n"
    file.write_text(file.read_text().replace("version: 1", "version: 2"))
    assert "+version: 2" in hub.invoke(app, ["diff", str(file)]).stdout
    options = ["--reason", "go", "--setting", "place_prefix=s-", "--secret", "signing", "--json"]
    applied = hub.invoke(app, ["apply", "till", "--file", str(file), *options], input="k3y\n")
    assert applied.exit_code == 0, applied.output
    assert json.loads(applied.stdout.splitlines()[-1])["version"] == 1
    (row,) = json.loads(hub.invoke(app, ["list", "--json"]).stdout)
    assert (row["channel"], row["pack"], row["secrets"]) == ("till", "store_till", {"signing": 1})
    assert "k3y" not in hub.invoke(app, ["list"]).stdout
    assert hub.invoke(app, ["diff", str(file)]).stdout == "nothing\n"


def test_what_is_not_named_stays_when_a_channel_is_applied_again(
    hub: CliRunner, database: Database
) -> None:
    named = ["--pack", "store_till", "--setting", "place_prefix=s-", "--state", "shadow"]
    first = hub.invoke(app, ["apply", "till", "--reason", "go", "--pack-version", "1", *named])
    assert first.exit_code == 0, first.output
    give_skus(database, "till", {"T-1": "cake"})
    again = hub.invoke(app, ["apply", "till", "--reason", "more", "--setting", "place_prefix=x-"])
    assert again.exit_code == 0, again.output
    live = hub.invoke(app, ["switch", "till", "live", "--reason", "it was right", "--json"])
    assert json.loads(live.stdout) == {
        "channel": "till", "pack": "store_till", "state": "live", "version": 4,
    }  # fmt: skip
    (row,) = json.loads(hub.invoke(app, ["list", "--json"]).stdout)
    assert (row["state"], row["settings"]) == ("live", {"place_prefix": "x-"})
    assert (row["pack_version"], row["skus"]) == (1, {"T-1": "cake"})
    newest = ["apply", "till", "--reason", "r", "--pack-version", "0"]
    assert hub.invoke(app, newest).exit_code == 0
    (row,) = json.loads(hub.invoke(app, ["list", "--json"]).stdout)
    assert row.get("pack_version") is None


def test_a_channel_begins_as_a_draft(hub: CliRunner) -> None:
    named = ["apply", "till", "--reason", "go", "--pack", "store_till", "--json"]
    assert json.loads(hub.invoke(app, named).stdout)["state"] == "draft"


def give_skus(database: Database, channel: str, skus: dict[str, str]) -> None:
    async def work() -> None:
        connection = await db.connect(database.dsn("writer"))
        vault = Vault(database.settings.secret())
        found = await channels.find(connection, vault, channel)
        assert found is not None
        document = msgspec.to_builtins(found.channel) | {"skus": skus}
        async with connection.transaction():
            await configs.publish(connection, vault, Draft("channel", channel, document, "skus"))
        await connection.close()

    asyncio.run(work())


def test_a_pack_whose_sample_fails_is_not_put_in_force(hub: CliRunner, tmp_path: Path) -> None:
    file = tmp_path / "till.yaml"
    hub.invoke(app, ["new", str(file), "--like", "store_till"])
    file.write_text(file.read_text().replace('total: "381.50"\n', 'total: "381.51"\n'))
    tried = hub.invoke(app, ["test", str(file)])
    assert tried.exit_code == 1
    assert "events[0].data.total" in tried.stdout
    refused = hub.invoke(app, ["apply", "till", "--file", str(file), "--reason", "go"])
    assert refused.exit_code == 1
    assert "events[0].data.total" in refused.stderr
    assert hub.invoke(app, ["list", "--json"]).stdout.strip() == "[]"


@pytest.mark.parametrize(
    "arguments",
    [
        ["apply", "c", "--reason", "r"],
        ["switch", "c", "live", "--reason", "r"],
        ["apply", "c", "--reason", "r", "--pack", "nothing"],
        ["apply", "c", "--reason", "r", "--pack", "youzan", "--state", "live"],
        ["apply", "c", "--reason", "r", "--pack", "website", "--state", "asleep"],
        ["apply", "c", "--reason", "r", "--pack", "website", "--setting", "x"],
        ["new", "/tmp", "--like", "website"],
    ],
)
def test_what_cannot_be_is_refused_in_words(hub: CliRunner, arguments: list[str]) -> None:
    refused = hub.invoke(app, arguments)
    assert refused.exit_code == 1
    assert "error" in refused.stderr
