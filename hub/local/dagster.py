"""How Dagster runs here: its home in the data folder, its environment, its three processes.

The asset code is loaded once, by a code server; webserver, daemon and runs ask that one. Not
here: what is orchestrated (`hub_assets`). Nothing of Dagster is imported.
"""

import os
import shutil
import socket
import sys
import time
from pathlib import Path

import psycopg
import yaml

from hub.errors import SettingsError
from hub.local.process import Command
from hub.settings import Settings

# The daemon writes a heartbeat every 30 s; older than two of them it is stuck or gone.
HEARTBEAT_AGE_MAX_S = 75
CONNECT_TIMEOUT_S = 2


def home(settings: Settings) -> Path:
    """DAGSTER_HOME."""
    return settings.data_dir / "dagster"


def prepare(settings: Settings, root: Path) -> None:
    """Make its home: the project's `dagster.yaml`, and a workspace that names our code server."""
    home(settings).mkdir(parents=True, exist_ok=True)
    shutil.copyfile(root / "dagster.yaml", home(settings) / "dagster.yaml")
    _, location = code_location(root)
    server = {
        "host": "127.0.0.1",
        "port": settings.dagster_code_port,
        "location_name": location,
    }
    workspace = {"load_from": [{"grpc_server": server}]}
    (home(settings) / "workspace.yaml").write_text(yaml.safe_dump(workspace), encoding="utf-8")


def code_location(root: Path) -> tuple[str, str]:
    """(module, location name) of the project's one code location, from its `workspace.yaml`."""
    path = root / "workspace.yaml"
    try:
        module = yaml.safe_load(path.read_text(encoding="utf-8"))["load_from"][0]["python_module"]
        return module["module_name"], module["location_name"]
    except (KeyError, IndexError, TypeError) as error:
        raise SettingsError(
            "no python_module with module_name and location_name",
            where=str(path),
            mend="restore the file from the repository",
        ) from error


def environment(settings: Settings) -> dict[str, str]:
    """What Dagster and dbt read: the hub's settings, their home, their database accounts."""
    from hub_assets import dbt

    storage = settings.dsn("dagster").replace("postgresql://", "postgresql+psycopg2://", 1)
    return (
        settings.environment()
        | dbt.environment(settings)
        | {
            "DAGSTER_HOME": str(home(settings)),
            "DAGSTER_DISABLE_TELEMETRY": "yes",
            "DO_NOT_TRACK": "1",
            "HUB_DAGSTER_URL": storage,
            # dagster-dbt looks for the program `dbt`, which lies beside our Python.
            "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")]),
        }
    )


def code_server(settings: Settings, root: Path) -> Command:
    """The one process that loads `hub_assets`."""
    module, location = code_location(root)
    arguments = [
        *("code-server", "start", "-m", module, "--location-name", location),
        *("--host", "127.0.0.1", "--port", str(settings.dagster_code_port)),
    ]
    return _command("dagster", settings, root, arguments)


def code_server_is_ready(settings: Settings) -> bool:
    """Whether it listens."""
    try:
        address = ("127.0.0.1", settings.dagster_code_port)
        socket.create_connection(address, timeout=CONNECT_TIMEOUT_S).close()
    except OSError:
        return False
    return True


def webserver(settings: Settings, root: Path) -> Command:
    """The pages."""
    arguments = ["--host", "127.0.0.1", "--port", str(settings.dagster_port)]
    return _command("dagster-webserver", settings, root, [*arguments, *_workspace(settings)])


def daemon(settings: Settings, root: Path) -> Command:
    """Schedules, sensors, the queue of runs."""
    return _command("dagster-daemon", settings, root, ["run", *_workspace(settings)])


def daemon_is_alive(settings: Settings) -> bool:
    """Whether the daemon has written a heartbeat lately."""
    query = "select max(extract(epoch from timestamp)) from daemon_heartbeats"
    try:
        with psycopg.connect(
            settings.dsn("dagster"), connect_timeout=CONNECT_TIMEOUT_S
        ) as connection:
            row = connection.execute(query).fetchone()
    except psycopg.Error:
        return False
    return bool(row and row[0] and time.time() - float(row[0]) < HEARTBEAT_AGE_MAX_S)


def _workspace(settings: Settings) -> tuple[str, str]:
    return "-w", str(home(settings) / "workspace.yaml")


def _command(program: str, settings: Settings, root: Path, arguments: list[str]) -> Command:
    script = Path(sys.executable).with_name(program)
    return Command(argv=(str(script), *arguments), cwd=root, env=environment(settings))
