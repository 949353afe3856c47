"""Which services make a hub on this machine, in which order, and how each shows it is ready.

Not here: starting, watching and ending them (`supervisor`), or what any of them does.
"""

import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from hub.local import dagster, kafka, postgres, roles
from hub.local.process import Command
from hub.settings import Settings

ROOT = Path(__file__).parents[2]
HTTP_PROBE_TIMEOUT_S = 2.0
# A first start parses the dbt project and imports all of Dagster on a busy small machine.
DAGSTER_READY_TIMEOUT_S = 240.0
READY_TIMEOUT_S = 90.0
# A stream of server-sent events never ends by itself; the supervisor kills after 10 s.
API_SHUTDOWN_S = 5

Say = Callable[[str], None]
# Alembic keeps its context in globals: two hubs of one process migrate one after the other.
_migrating = threading.Lock()


@dataclass(frozen=True)
class Service:
    """A process that runs until the hub stops."""

    name: str
    command: Callable[[], Command]
    is_ready: Callable[[], bool]
    after: tuple[str, ...] = ()
    prepare: Callable[[Say], None] | None = None
    ready_timeout_s: float = READY_TIMEOUT_S
    ports: tuple[int, ...] = ()
    address: str = ""


@dataclass(frozen=True)
class Step:
    """Something to do once between services, safe to repeat."""

    name: str
    run: Callable[[Say], None]
    after: tuple[str, ...] = ()


def plan(settings: Settings, only: Sequence[str] | None = None) -> list[Service | Step]:
    """All parts in the order of their start; `only` keeps the named (`workers` means each).

    A server the user gave by URL is not in the plan: its step waits for nothing.
    """
    parts = [
        *_servers(settings),
        *_workers(settings),
        _deliveries(settings),
        _rules(settings),
        _api(settings),
        *_dagster(settings),
    ]
    if only is not None:
        parts = [part for part in parts if part.name.partition("-")[0] in only or part.name in only]
    known = {part.name for part in parts}
    return [_with_known(part, known) for part in parts]


def wanted_ports(parts: Sequence[Service | Step]) -> list[tuple[str, int]]:
    """(service, port) of all that will listen."""
    services = [part for part in parts if isinstance(part, Service)]
    return [(service.name, port) for service in services for port in service.ports]


def _servers(settings: Settings) -> list[Service | Step]:
    parts: list[Service | Step] = []
    if settings.postgres_url is None:
        parts.append(
            Service(
                "postgres",
                partial(postgres.command, settings),
                partial(postgres.is_ready, settings),
                prepare=lambda say: _prepare_postgres(settings, say),
                ports=(settings.postgres_port,),
                address=f"127.0.0.1:{settings.postgres_port}",
            )
        )
    parts.append(Step("migrations", lambda say: _migrate(settings, say), after=("postgres",)))
    if settings.kafka_brokers is None:
        parts.append(
            Service(
                "kafka",
                partial(kafka.command, settings),
                partial(kafka.is_ready, settings),
                prepare=lambda say: _prepare_kafka(settings, say),
                ports=(settings.kafka_port, settings.kafka_controller_port),
                address=f"127.0.0.1:{settings.kafka_port}",
            )
        )
    parts.append(Step("topics", lambda say: _make_topics(settings, say), after=("kafka",)))
    return parts


def _workers(settings: Settings) -> list[Service | Step]:
    return [_worker(settings, index) for index in range(settings.workers)]


def _worker(settings: Settings, index: int) -> Service:
    address = f"http://127.0.0.1:{settings.worker_port(index)}"
    return Service(
        f"worker-{index}",
        lambda: Command(
            argv=(sys.executable, "-m", "streams.worker"),
            cwd=ROOT,
            env=settings.environment() | {"HUB_WORKER_INDEX": str(index)},
        ),
        partial(answers, f"{address}/readyz"),
        after=("migrations", "topics"),
        ports=(settings.worker_port(index),),
        address=address,
    )


def _deliveries(settings: Settings) -> Service:
    address = f"http://127.0.0.1:{settings.deliveries_port}"
    return Service(
        "deliveries",
        lambda: Command(
            argv=(sys.executable, "-m", "streams.deliveries"),
            cwd=ROOT,
            env=settings.environment(),
        ),
        partial(answers, f"{address}/healthz"),
        after=("migrations",),
        ports=(settings.deliveries_port,),
        address=address,
    )


def _rules(settings: Settings) -> Service:
    address = f"http://127.0.0.1:{settings.rules_port}"
    return Service(
        "rules",
        lambda: Command(
            argv=(sys.executable, "-m", "streams.rules"),
            cwd=ROOT,
            env=settings.environment(),
        ),
        partial(answers, f"{address}/healthz"),
        after=("migrations",),
        ports=(settings.rules_port,),
        address=address,
    )


def _api(settings: Settings) -> Service:
    address = f"http://127.0.0.1:{settings.api_port}"
    return Service(
        "api",
        lambda: Command(
            argv=(
                *(sys.executable, "-m", "uvicorn", "--factory", "hub_api.app:create_app"),
                *("--host", "127.0.0.1", "--port", str(settings.api_port), "--no-access-log"),
                *("--timeout-graceful-shutdown", str(API_SHUTDOWN_S)),
            ),
            cwd=ROOT,
            env=settings.environment(),
        ),
        partial(answers, f"{address}/readyz"),
        after=("migrations", "topics"),
        ports=(settings.api_port,),
        address=address,
    )


def _dagster(settings: Settings) -> list[Service | Step]:
    """Dagster's asset code, loaded once, and the webserver and daemon that ask it."""
    address = f"http://127.0.0.1:{settings.dagster_port}"
    return [
        Step("dagster-home", lambda say: dagster.prepare(settings, ROOT), after=("migrations",)),
        Service(
            "dagster-code",
            partial(dagster.code_server, settings, ROOT),
            partial(dagster.code_server_is_ready, settings),
            after=("dagster-home",),
            ready_timeout_s=DAGSTER_READY_TIMEOUT_S,
            ports=(settings.dagster_code_port,),
        ),
        Service(
            "dagster-webserver",
            partial(dagster.webserver, settings, ROOT),
            partial(answers, f"{address}/server_info"),
            after=("dagster-code",),
            ready_timeout_s=DAGSTER_READY_TIMEOUT_S,
            ports=(settings.dagster_port,),
            address=address,
        ),
        Service(
            "dagster-daemon",
            partial(dagster.daemon, settings, ROOT),
            partial(dagster.daemon_is_alive, settings),
            after=("dagster-code",),
            ready_timeout_s=DAGSTER_READY_TIMEOUT_S,
        ),
    ]


def answers(url: str) -> bool:
    """Whether an HTTP GET of this page succeeds."""
    try:
        with urllib.request.urlopen(url, timeout=HTTP_PROBE_TIMEOUT_S) as response:
            return response.status == 200
    except (urllib.error.URLError, OSError):
        return False


def _with_known(part: Service | Step, known: set[str]) -> Service | Step:
    """Wait only for parts that are in the plan."""
    return replace(part, after=tuple(name for name in part.after if name in known))


def _prepare_postgres(settings: Settings, say: Say) -> None:
    if not (postgres.folder(settings) / "PG_VERSION").exists():
        say("making the database folder")
    postgres.prepare(settings)


def _prepare_kafka(settings: Settings, say: Say) -> None:
    def progress(done: int, count: int, size: int) -> None:
        say(f"downloaded {done}/{count} jars, {size / 1e6:.1f} MB")

    kafka.prepare(settings, progress)


def _migrate(settings: Settings, say: Say) -> None:
    from hub.store import migrate

    roles.ensure(settings)
    with _migrating:
        migrate.upgrade(settings.dsn("owner"))


def _make_topics(settings: Settings, say: Say) -> None:
    made = kafka.ensure_topics(settings)
    if made:
        say(f"made {len(made)} topics")
