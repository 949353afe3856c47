"""`hub key`: the secret is printed once; keys are listed and revoked by name."""

import json

import pytest
from typer.testing import CliRunner

from hub.cli.keys import app
from hub.settings import Settings
from hub.testing import Database


@pytest.fixture
def hub(database: Database, monkeypatch: pytest.MonkeyPatch) -> CliRunner:
    """The command line in an environment of this database."""
    for name, value in database.settings.environment().items():
        monkeypatch.setenv(name, value)
    return CliRunner()


def test_a_key_is_shown_once_listed_without_its_secret_and_revoked(hub: CliRunner) -> None:
    made = hub.invoke(app, ["create", "till 3", "--scope", "orders:read", "--channel", "store"])
    assert made.exit_code == 0, made.output
    token = made.stdout.strip()
    prefix, _, secret = token.partition(".")
    listed = hub.invoke(app, ["list", "--json"])
    (key,) = json.loads(listed.stdout)
    assert (key["key_prefix"], key["label"], key["channel"]) == (prefix, "till 3", "store")
    assert secret not in listed.stdout
    assert prefix in hub.invoke(app, ["list"]).stdout
    revoked = hub.invoke(app, ["revoke", token, "--json"])
    assert json.loads(revoked.stdout)["revoked_at"]


def test_a_rotated_key_has_two_secrets_for_a_while(hub: CliRunner) -> None:
    first = hub.invoke(app, ["create", "till 3", "--scope", "orders:read"]).stdout.strip()
    second = hub.invoke(app, ["rotate", first, "--overlap-hours", "2"])
    assert second.exit_code == 0, second.output
    assert second.stdout.split(".")[0] == first.split(".")[0]
    assert second.stdout.strip() != first
    (key,) = json.loads(hub.invoke(app, ["list", "--json"]).stdout)
    assert key["rotated_at"] < key["former_until"]


@pytest.mark.parametrize(
    "arguments",
    [
        ["create", "x", "--scope", "orders:erase"],
        ["create", "x\ny", "--scope", "orders:read"],
        ["create", "", "--scope", "orders:read"],
        ["create", "x" * 101, "--scope", "orders:read"],
        ["create", "x", "--scope", "orders:read", "--channel", "../app"],
        ["revoke", "hub_000000000000"],
        ["rotate", "hub_000000000000"],
        ["create", "x", "--scope", "orders:read", "--requests-per-s", "0"],
    ],
)
def test_what_cannot_be_is_refused_in_words(hub: CliRunner, arguments: list[str]) -> None:
    refused = hub.invoke(app, arguments)
    assert refused.exit_code == 1
    assert "error" in refused.stderr
    assert hub.invoke(app, ["list", "--json"]).stdout.strip() == "[]"


def test_a_database_that_is_away_is_said_in_words(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    away = settings.model_copy(update={"postgres_port": 1})
    for name, value in away.environment().items():
        monkeypatch.setenv(name, value)
    refused = CliRunner().invoke(app, ["list"])
    assert refused.exit_code == 1
    assert "hub up" in refused.stderr
