"""A Postgres and a Kafka for one benchmark, durable as a hub's own, thrown away afterwards.

Not here: what is measured on them. Tests have their own, faster and less durable
(`hub.testing`).
"""

import contextlib
import shutil
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import psycopg

from hub.local import guardian, kafka, postgres, roles
from hub.local.process import Process
from hub.settings import Settings
from hub.store import migrate
from hub.testing import free_port

START_TIMEOUT_S = 90.0
POLL_S = 0.1


class Servers:
    """The running servers, with the settings by which a hub reaches them."""

    def __init__(self, settings: Settings, processes: dict[str, Process]) -> None:
        """`processes` by name: postgres, kafka."""
        self.settings = settings
        self._processes = processes

    def cpu_s(self, name: str) -> float:
        """CPU seconds that a server and its children have used up to now."""
        total = 0.0
        leader = psutil.Process(self._processes[name].pid)
        for process in (leader, *leader.children(recursive=True)):
            with contextlib.suppress(psutil.NoSuchProcess):
                times = process.cpu_times()
                # A backend that has left is counted with its parent's children.
                total += sum(times[:4])
        return total

    @contextlib.contextmanager
    def database(self) -> Iterator[Settings]:
        """A fresh database with the hub's tables: the settings of a hub in it."""
        name = f"bench_{uuid.uuid4().hex[:12]}"
        admin = self.settings.dsn("admin")
        with psycopg.connect(admin, autocommit=True) as connection:
            connection.execute(f"create database {name} owner hub_owner".encode())
        roles.grant_database(self.settings, name)
        migrate.upgrade(self.settings.dsn("owner", name))
        try:
            yield self.settings.model_copy(update={"postgres_database": name})
        finally:
            with psycopg.connect(admin, autocommit=True) as connection:
                connection.execute(f"drop database {name} with (force)".encode())


@contextlib.contextmanager
def servers() -> Iterator[Servers]:
    """Start both with the hub's tables; end them, whatever happens."""
    folder = Path(tempfile.mkdtemp(prefix="hub-bench-"))
    folder.chmod(0o711)  # Postgres's service user passes through
    keeper = guardian.Guardian(folder / "groups", patience_s=5, remove=folder)
    settings = Settings(
        data_dir=folder,
        postgres_port=free_port(),
        kafka_port=free_port(),
        kafka_controller_port=free_port(),
        postgres_url=None,
        kafka_brokers=None,
    )
    processes: dict[str, Process] = {}

    def start(name: str, is_ready: Callable[[Settings], bool]) -> None:
        command = {"postgres": postgres.command, "kafka": kafka.command}[name](settings)
        processes[name] = Process(command, folder / f"{name}.log")
        guardian.add(folder / "groups", processes[name].pid, command.stop_signal)
        deadline = time.monotonic() + START_TIMEOUT_S
        while not is_ready(settings):
            if time.monotonic() > deadline or processes[name].exit_code() is not None:
                raise TimeoutError((folder / f"{name}.log").read_text()[-2000:])
            time.sleep(POLL_S)

    try:
        postgres.prepare(settings)
        kafka.prepare(settings)
        start("postgres", postgres.is_ready)
        start("kafka", kafka.is_ready)
        roles.ensure(settings)
        yield Servers(settings, processes)
    finally:
        for process in reversed(processes.values()):
            process.stop()
        keeper.close()
        shutil.rmtree(folder, ignore_errors=True)
