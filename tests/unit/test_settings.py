"""What `hub.settings` promises about values, without touching a disk."""

import pytest

from hub import settings as hub_settings
from hub.errors import SettingsError
from hub.settings import PORT_OFFSETS, Settings

KEY = "a secret for tests"


def made(**values: object) -> Settings:
    return hub_settings.load(secret_key=KEY, **values)


def test_all_ports_follow_the_base() -> None:
    chosen = made(port_base=21000)
    assert {name: getattr(chosen, name) for name in PORT_OFFSETS} == {
        name: 21000 + offset for name, offset in PORT_OFFSETS.items()
    }
    assert [chosen.worker_port(index) for index in (0, 1)] == [21010, 21011]


def test_one_port_can_be_set_alone() -> None:
    chosen = made(port_base=21000, kafka_port=9092)
    assert (chosen.kafka_port, chosen.api_port) == (9092, 21000)


def test_another_process_gets_the_same_settings_from_the_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    chosen = made(port_base=22000, mirrors="pypi=https://example.org/simple", workers=3)
    for name, value in chosen.environment().items():
        monkeypatch.setenv(name, value)
    assert hub_settings.load() == chosen


def test_an_empty_variable_means_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HUB_POSTGRES_URL", "")
    monkeypatch.setenv("HUB_KAFKA_PORT", "")
    assert made(port_base=18000).postgres_url is None
    assert made(port_base=18000).kafka_port == 18003


def test_each_role_has_its_own_account_and_password() -> None:
    dsns = [made().dsn(role) for role in ("owner", "writer", "dbt", "reader", "dagster")]
    passwords = {dsn.split("@")[0].rpartition(":")[2] for dsn in dsns}
    assert len(passwords) == 5
    assert dsns[1].startswith("postgresql://hub_writer:")
    assert dsns[1].endswith("@127.0.0.1:18002/hub")
    assert dsns[4].endswith("/dagster")


def test_the_same_key_gives_the_same_passwords_on_every_machine() -> None:
    assert made().password("writer") == made().password("writer")
    other = hub_settings.load(secret_key="another")
    assert other.password("writer") != made().password("writer")


def test_a_given_postgres_keeps_its_host_and_options() -> None:
    chosen = made(postgres_url="postgresql://boss:pw@db.example.org:6432/x?sslmode=require")
    assert chosen.dsn("admin") == (
        "postgresql://boss:pw@db.example.org:6432/postgres?sslmode=require"
    )
    assert chosen.dsn("reader").startswith("postgresql://hub_reader:")
    assert chosen.dsn("reader").endswith("@db.example.org:6432/hub?sslmode=require")


def test_an_unknown_role_is_refused() -> None:
    with pytest.raises(SettingsError, match="no database role"):
        made().dsn("root")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "kind", "url"),
    [
        ("", "maven", None),
        ("pypi=https://a/simple/", "pypi", "https://a/simple"),
        ("pypi=https://a, maven=https://b/maven2", "maven", "https://b/maven2"),
    ],
)
def test_mirrors_are_one_setting(text: str, kind: str, url: str | None) -> None:
    assert made(mirrors=text).mirror(kind) == url  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("mirrors", "gems=https://a"),
        ("mirrors", "maven"),
        ("business_zone", "Asia/Nowhere"),
        ("workers", -1),
        ("workers", 33),
        ("write_records", 5001),
        ("port_base", 80),
    ],
)
def test_a_bad_value_is_refused_by_name(name: str, value: object) -> None:
    with pytest.raises(SettingsError, match=f"HUB_{name.upper()}"):
        made(**{name: value})


def test_every_setting_says_what_it_is_for() -> None:
    assert [name for name, field in Settings.model_fields.items() if not field.description] == []


def test_the_secret_key_is_never_shown() -> None:
    assert KEY not in repr(made())
