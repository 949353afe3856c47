"""The own Postgres: its folder, its roles, its databases."""

import stat
from pathlib import Path

import psycopg
import pytest

from hub.errors import ForeignDataError
from hub.local import postgres, roles
from hub.settings import Settings, load
from hub.testing import Database


def test_making_roles_again_changes_nothing(database: Database) -> None:
    roles.ensure(database.settings)
    roles.ensure(database.settings)
    with psycopg.connect(database.dsn("writer")) as connection:
        row = connection.execute("select current_user, current_database()").fetchone()
    assert row == ("hub_writer", database.name)


def test_a_wrong_password_is_refused(database: Database) -> None:
    wrong = database.dsn("reader").replace(database.settings.password("reader"), "guess")
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(wrong, connect_timeout=5)


def test_the_hub_speaks_postgres_18_in_utc(database: Database) -> None:
    with psycopg.connect(database.dsn("writer")) as connection:
        zone = connection.execute("show timezone").fetchone()
        assert connection.info.server_version // 10000 == int(postgres.POSTGRES_MAJOR)
    assert zone == ("UTC",)


def test_a_folder_of_another_postgres_is_refused(settings: Settings) -> None:
    data = postgres.folder(settings)
    data.mkdir(parents=True)
    (data / "PG_VERSION").write_text("15\n")
    with pytest.raises(ForeignDataError, match="PostgreSQL 15"):
        postgres.prepare(settings)


def test_where_a_socket_path_is_too_long_there_is_none() -> None:
    port = 18002
    longest = "/" + "d" * (postgres.SOCKET_PATH_BYTES_MAX - len(f"/.s.PGSQL.{port}") - 1)
    assert postgres.socket_folder(Path(longest), port) == longest
    assert postgres.socket_folder(Path(longest + "d"), port) == ""


def test_the_secret_key_is_made_once_and_read_by_its_owner_only(settings: Settings) -> None:
    first = settings.secret()
    key = settings.data_dir / "secret.key"
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert load(data_dir=settings.data_dir).secret() == first
    assert [file.name for file in settings.data_dir.iterdir()] == ["secret.key"]
