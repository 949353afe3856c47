"""Servers and databases for tests: one real Postgres and one real Kafka for a whole run.

They are started by the first test that asks, shared by all of the run's processes, and ended
by a guardian process even if the run is killed. Not here: the fixtures (`tests/conftest.py`).
"""

import atexit
import contextlib
import fcntl
import json
import os
import shutil
import socket
import tempfile
import time
import uuid
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import psycopg
from psycopg import sql

from hub.local import guardian, kafka, postgres, roles
from hub.local.process import Process
from hub.settings import Role, Settings, load
from hub.store import migrate

RUN_VARIABLE = "HUB_TEST_RUN_DIR"
START_TIMEOUT_S = 60
POLL_S = 0.05
REAP_S = 5
# Two hubs side by side, as some tests start them, are 40 apart.
PORTS_IN_ROW = 80
TEMPLATE = "hub_template"
# A test's data need not survive the machine; tests that kill a server start their own.
FAST_POSTGRES = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "shared_buffers": "128MB",
    "max_wal_size": "1GB",
}
# Servers this process started: kept referenced, since the guardian ends them, not we; nor
# shall Python warn at exit that they still run.
_started: list[Process] = []
atexit.register(warnings.simplefilter, "ignore", ResourceWarning)


@dataclass(frozen=True)
class Database:
    """A fresh database of one test, with the hub's tables and no rows."""

    name: str
    settings: Settings

    def dsn(self, role: Role = "writer") -> str:
        """The URL by which this role reaches it."""
        return self.settings.dsn(role)


def free_port() -> int:
    """A TCP port nobody uses at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def free_port_base() -> int:
    """The first of `PORTS_IN_ROW` free ports in a row, below those the kernel gives out itself.

    A row is this process's own until it ends: a hub takes its ports seconds after it asked for
    them, and another process of tests may look meanwhile.
    """
    folder = Path(tempfile.gettempdir()) / f"hub-test-ports-{os.getuid()}"
    folder.mkdir(exist_ok=True)
    for base in range(20000, 32000, PORTS_IN_ROW):
        row = os.open(folder / str(base), os.O_CREAT | os.O_RDWR)
        if _is_locked(row) and all(_is_free(base + offset) for offset in range(PORTS_IN_ROW)):
            return base  # the file stays open, and locked, until this process ends
        os.close(row)
    raise AssertionError("no free row of ports")


@contextlib.contextmanager
def test_run() -> Iterator[Path]:
    """The folder of a whole test run; when it ends, in whatever way, all servers end."""
    folder = Path(tempfile.mkdtemp(prefix="hub-tests-"))
    folder.chmod(0o711)  # Postgres's service user passes through
    keeper = guardian.Guardian(folder / "groups", patience_s=3, remove=folder)
    os.environ[RUN_VARIABLE] = str(folder)
    try:
        yield folder
    finally:
        del os.environ[RUN_VARIABLE]
        keeper.close()
        for process in _started:
            process.wait(REAP_S)
        shutil.rmtree(folder, ignore_errors=True)


test_run.__test__ = False  # type: ignore[attr-defined]  # a helper, not a test


def data_dir() -> Path:
    """An empty folder of the run; unlike pytest's own it lets Postgres's account pass through."""
    folder = Path(os.environ[RUN_VARIABLE]) / uuid.uuid4().hex[:8]
    folder.mkdir(mode=0o711)
    return folder


def shared_postgres() -> Settings:
    """The run's Postgres, with roles and the template database."""
    return _shared("postgres", _start_postgres)


def shared_kafka() -> Settings:
    """The run's Kafka broker."""
    return _shared("kafka", _start_kafka)


@contextlib.contextmanager
def own_settings(**given: Any) -> Iterator[Settings]:
    """Settings of a hub of a test's own, in a folder that Postgres's service user can enter."""
    folder = Path(tempfile.mkdtemp(prefix="hub-own-"))
    folder.chmod(0o711)
    try:
        yield load(data_dir=folder / "hub", port_base=free_port_base(), **given)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def database() -> Iterator[Database]:
    """A copy of the template, dropped in the end."""
    server = shared_postgres()
    name = f"test_{uuid.uuid4().hex[:12]}"
    settings = server.model_copy(update={"postgres_database": name})
    _clone(server, name)
    try:
        yield Database(name, settings)
    finally:
        drop = sql.SQL("drop database {} with (force)").format(sql.Identifier(name))
        with _administrator(server) as connection:
            connection.execute(drop)


def is_running(pid: int) -> bool:
    """Whether a process still runs: one that has ended and that nobody has asked about does not."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def wait_until(is_true: Callable[[], bool], what: str, timeout_s: float = START_TIMEOUT_S) -> None:
    """Poll until it is so; fail with `what` did not happen."""
    deadline = time.monotonic() + timeout_s
    while not is_true():
        assert time.monotonic() < deadline, f"not within {timeout_s} s: {what}"
        time.sleep(POLL_S)


def _shared(name: str, start: Callable[[Settings], None]) -> Settings:
    """Start this server unless another process of the run did; everyone gets its settings."""
    run = Path(os.environ[RUN_VARIABLE])
    note = run / f"{name}.json"
    with (run / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not note.exists():
            settings = _fresh_settings(run / name)
            start(settings)
            note.write_text(settings.model_dump_json(exclude={"secret_key"}))
    return Settings(**json.loads(note.read_text()))


def _fresh_settings(data_dir: Path) -> Settings:
    return Settings(
        data_dir=data_dir,
        postgres_port=free_port(),
        kafka_port=free_port(),
        kafka_controller_port=free_port(),
        postgres_url=None,
        kafka_brokers=None,
        secret_key=None,
    )


def _start_postgres(settings: Settings) -> None:
    postgres.prepare(settings)
    _run("postgres", settings)
    roles.ensure(settings)
    with _administrator(settings) as connection:
        connection.execute(f"create database {TEMPLATE} owner hub_owner")
    roles.grant_database(settings, TEMPLATE)
    migrate.upgrade(settings.dsn("owner", TEMPLATE))


def _start_kafka(settings: Settings) -> None:
    kafka.prepare(settings)
    _run("kafka", settings)


def _run(name: str, settings: Settings) -> None:
    """Start the server in its own group, tell the guardian, wait until it answers."""
    log = settings.data_dir / f"{name}.log"
    if name == "postgres":
        command, is_ready = postgres.command(settings, FAST_POSTGRES), postgres.is_ready
    else:
        command, is_ready = kafka.command(settings), kafka.is_ready
    process = Process(command, log)
    _started.append(process)
    register = Path(os.environ[RUN_VARIABLE]) / "groups"
    guardian.add(register, process.pid, command.stop_signal)

    def answers() -> bool:
        assert process.exit_code() is None, log.read_text()[-2000:]
        return is_ready(settings)

    wait_until(answers, f"{name} answers")


def _clone(server: Settings, name: str) -> None:
    # Without fsync, copying files is cheaper than logging every page.
    create = sql.SQL("create database {} template {} owner hub_owner strategy file_copy")
    with _administrator(server) as connection:
        connection.execute(create.format(sql.Identifier(name), sql.Identifier(TEMPLATE)))
    roles.grant_database(server, name)


def _administrator(settings: Settings) -> psycopg.Connection:
    return psycopg.connect(settings.dsn("admin"), autocommit=True, connect_timeout=10)


def _is_locked(row: int) -> bool:
    """Whether the open file is ours alone now."""
    try:
        fcntl.flock(row, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True
