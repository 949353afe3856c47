"""Hubs on one machine as a user runs them: beside each other, on given servers, killed."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import psycopg

from hub.local import kafka
from hub.local.services import plan
from hub.local.supervisor import Supervisor
from hub.settings import Settings, load
from hub.testing import Database, free_port_base, wait_until

SERVERS = ("postgres", "migrations", "kafka", "topics")
START_TIMEOUT_S = 120


def fresh(data_dir: Path, port_base: int) -> Settings:
    return load(data_dir=data_dir, port_base=port_base)


@contextmanager
def hub_up(settings: Settings, only: str) -> Iterator["subprocess.Popen[str]"]:
    """`hub up` as its own process; whatever the test does, it is ended."""
    process = subprocess.Popen(
        [sys.executable, "-m", "hub.cli", "up", "--only", only],
        env=os.environ | settings.environment(),
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    with process, process.stdout:
        try:
            yield process
        finally:
            process.send_signal(signal.SIGTERM)


def processes_of(settings: Settings) -> list[psutil.Process]:
    """Those that name the data folder on their command line."""
    folder = str(settings.data_dir)
    return [
        one
        for one in psutil.process_iter(["cmdline"])
        if any(folder in word for word in one.info["cmdline"] or [])
    ]


def wait_for_restart(hub: Supervisor, name: str) -> None:
    wait_until(lambda: hub.restarts(name) == 1, f"{name} is started again")
    hub.wait_ready(name, timeout_s=START_TIMEOUT_S)


def wait_for_line(process: "subprocess.Popen[str]", words: str) -> None:
    assert process.stdout is not None
    for line in process.stdout:
        if words in line:
            return
    raise AssertionError(f"ended before it said {words!r}")


def test_two_hubs_run_side_by_side_and_keep_apart(data_dir: Path) -> None:
    first_base = free_port_base()
    first = fresh(data_dir / "first", first_base)
    second = fresh(data_dir / "second", first_base + 40)
    with Supervisor(first, only=SERVERS) as one, Supervisor(second, only=SERVERS) as two:
        one.wait_ready(timeout_s=START_TIMEOUT_S)
        two.wait_ready(timeout_s=START_TIMEOUT_S)
        assert kafka.cluster_id(first) != kafka.cluster_id(second)
        with psycopg.connect(first.dsn("owner"), autocommit=True) as connection:
            connection.execute("create table public.mine (id int)")
        with psycopg.connect(second.dsn("owner")) as connection:
            row = connection.execute("select to_regclass('public.mine')").fetchone()
        assert row == (None,)
    assert processes_of(first) + processes_of(second) == []


def test_killed_servers_come_back_with_what_they_had(data_dir: Path) -> None:
    settings = fresh(data_dir / "hub", free_port_base())
    with Supervisor(settings, only=SERVERS) as hub:
        hub.wait_ready(timeout_s=START_TIMEOUT_S)
        cluster = kafka.cluster_id(settings)
        with psycopg.connect(settings.dsn("owner"), autocommit=True) as connection:
            connection.execute("create table public.kept as select 1 as id")
        for name in ("postgres", "kafka"):
            hub.kill(name)
            wait_for_restart(hub, name)
        with psycopg.connect(settings.dsn("owner")) as connection:
            assert connection.execute("select id from public.kept").fetchall() == [(1,)]
        assert kafka.cluster_id(settings) == cluster
        assert kafka.ensure_topics(settings) == []


def test_given_servers_are_used_instead_of_own_ones(
    database: Database, broker: Settings, tmp_path: Path
) -> None:
    settings = load(
        data_dir=tmp_path / "hub",
        secret_key=database.settings.secret().decode(),
        postgres_url=database.dsn("admin"),
        postgres_database=database.name,
        kafka_brokers=broker.brokers,
    )
    assert [part.name for part in plan(settings, SERVERS)] == ["migrations", "topics"]
    with Supervisor(settings, only=SERVERS) as hub:
        hub.wait_ready(timeout_s=START_TIMEOUT_S)
        assert hub.names() == []
    with psycopg.connect(settings.dsn("writer")) as connection:
        row = connection.execute("select to_regclass('hub.orders') is not null").fetchone()
    assert row == (True,)


def test_hub_down_and_status_tell_the_truth(data_dir: Path) -> None:
    settings = fresh(data_dir / "hub", free_port_base())

    def command(*words: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [sys.executable, "-m", "hub.cli", *words, "--json"],
            env=os.environ | settings.environment(),
            capture_output=True,
            text=True,
            check=False,
        )

    assert command("status").returncode == 3
    with hub_up(settings, "postgres,migrations") as process:
        wait_for_line(process, "The hub is up")
        status = command("status")
        assert status.returncode == 0, status.stdout
        parts = {part["name"]: part["state"] for part in json.loads(status.stdout)["services"]}
        assert parts == {"postgres": "ready", "migrations": "done"}
        assert json.loads(command("down").stdout) == {"was_running": True, "is_running": False}
        assert process.wait(30) == 0
    assert processes_of(settings) == []


def test_ctrl_c_in_the_middle_of_a_start_leaves_no_process(data_dir: Path) -> None:
    settings = fresh(data_dir / "hub", free_port_base())
    with hub_up(settings, "postgres,migrations,kafka,topics") as process:
        wait_for_line(process, "starting")
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 0
    assert processes_of(settings) == []


def test_nothing_survives_a_killed_hub(data_dir: Path) -> None:
    settings = fresh(data_dir / "hub", free_port_base())
    with hub_up(settings, "postgres,migrations,kafka,topics") as process:
        wait_for_line(process, "The hub is up")
        assert len(processes_of(settings)) >= 3
        process.kill()
        wait_until(lambda: processes_of(settings) == [], "all processes end", timeout_s=20)
