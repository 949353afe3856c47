"""What the doctor finds, and what it says to do."""

import os
import shutil
import socket
import sys
from collections import namedtuple
from pathlib import Path

import pytest

from hub.local import datafolder, doctor, jars, postgres
from hub.local.doctor.problem import Problem
from hub.settings import Settings
from hub.testing import Database, free_port, free_port_base

Usage = namedtuple("Usage", "total used free")


@pytest.fixture(autouse=True)
def quiet_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Kafka's jars count as downloaded: no test here touches the network."""
    monkeypatch.setattr(jars, "missing", lambda settings: [])


@pytest.fixture
def hub(settings: Settings) -> Settings:
    """Settings whose ports are free."""
    return Settings(data_dir=settings.data_dir, port_base=free_port_base())


def found(settings: Settings) -> list[Problem]:
    report = doctor.examine(settings)
    assert report.ok == all(problem.level == "note" for problem in report.problems)
    return report.problems


def the(settings: Settings, words: str) -> Problem:
    matching = [one for one in found(settings) if words in one.what]
    assert len(matching) == 1, found(settings)
    return matching[0]


def test_a_good_machine_has_at_most_notes(hub: Settings) -> None:
    assert [problem for problem in found(hub) if problem.level == "problem"] == []


def test_a_taken_port_is_found_with_its_owner(hub: Settings) -> None:
    with socket.create_server(("127.0.0.1", hub.api_port)):
        problem = the(hub, f"port {hub.api_port} is taken")
    assert str(os.getpid()) in problem.what
    assert "HUB_PORT_BASE" in problem.mend


def test_an_old_java_of_ones_own_is_found(hub: Settings, tmp_path: Path) -> None:
    java = tmp_path / "java"
    java.write_text("#!/bin/sh\necho 'openjdk version \"11.0.2\"' >&2\n")
    java.chmod(0o755)
    problem = the(hub.model_copy(update={"java": java}), "Java 11")
    assert "17" in problem.why


def test_a_java_that_is_none_is_found(hub: Settings, tmp_path: Path) -> None:
    the(hub.model_copy(update={"java": tmp_path / "nowhere"}), "no Java that runs")


def test_a_full_disk_is_found(hub: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(10**12, 10**12 - 10**9, 10**9))
    assert any("1.0 GB are free" in problem.what for problem in found(hub))


def test_data_of_another_layout_is_found(hub: Settings) -> None:
    hub.data_dir.mkdir()
    datafolder.version_file(hub).write_text("99\n")
    assert "HUB_DATA_DIR" in the(hub, "has layout 99").mend


def test_data_of_another_postgres_is_found(hub: Settings) -> None:
    postgres.folder(hub).mkdir(parents=True)
    (postgres.folder(hub) / "PG_VERSION").write_text("17\n")
    the(hub, "belongs to PostgreSQL 17")


def test_a_key_that_others_may_read_is_found(hub: Settings) -> None:
    hub.secret()
    (hub.data_dir / "secret.key").chmod(0o644)
    assert the(hub, "may be read by others").mend.startswith("chmod 600")


def test_a_misspelt_setting_is_noted(hub: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HUB_PROT_BASE", "1")
    assert the(hub, "HUB_PROT_BASE").level == "note"


def test_a_postgres_that_does_not_answer_is_found(hub: Settings) -> None:
    url = f"postgresql://me:pw@127.0.0.1:{free_port()}/"
    the(hub.model_copy(update={"postgres_url": url}), "HUB_POSTGRES_URL does not answer")


def test_a_postgres_role_without_rights_is_found(hub: Settings, database: Database) -> None:
    given = hub.model_copy(update={"postgres_url": database.dsn("reader")})
    assert "createrole" in the(given, "may not make roles").mend


def test_a_postgres_that_will_do_is_not_complained_of(hub: Settings, database: Database) -> None:
    given = hub.model_copy(update={"postgres_url": database.dsn("admin")})
    assert [problem for problem in found(given) if problem.level == "problem"] == []


def test_a_kafka_that_does_not_answer_is_found(hub: Settings) -> None:
    given = hub.model_copy(update={"kafka_brokers": f"127.0.0.1:{free_port()}"})
    the(given, "HUB_KAFKA_BROKERS does not answer")


def test_another_python_is_found(hub: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "version_info", (3, 12, 1))
    the(hub, "Python 3.12")
