"""The data folder of one hub: its version, its places, and who runs on it.

VERSION         layout of this folder; another one is refused
secret.key      root of all keys and passwords (see `hub.settings`)
postgres/ kafka/ dagster/   the servers' own
logs/           one file a service, with a few older ones
run/            lock, state and process register of the running supervisor
"""

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from hub.errors import AlreadyRunningError, ForeignDataError
from hub.local import guardian
from hub.settings import Settings

LAYOUT = "1"
# How long processes of a killed hub get before the next one takes over the folder.
LEFTOVER_PATIENCE_S = 10.0


def version_file(settings: Settings) -> Path:
    """Holds the layout the folder was made with."""
    return settings.data_dir / "VERSION"


def logs(settings: Settings) -> Path:
    """Where each service's output goes."""
    return settings.data_dir / "logs"


def state_file(settings: Settings) -> Path:
    """What the running supervisor says of itself, for `hub status` and `hub down`."""
    return settings.data_dir / "run" / "state.json"


def demo_mark(settings: Settings) -> Path:
    """Its presence says that `hub demo` made the folder, and may delete it when it starts anew."""
    return settings.data_dir / "made-by-demo"


def lock_file(settings: Settings) -> Path:
    """Locked as long as a supervisor runs on the folder."""
    return settings.data_dir / "run" / "supervisor.lock"


def foreign_version(settings: Settings) -> str | None:
    """The layout of the folder if it is not ours."""
    path = version_file(settings)
    found = path.read_text(encoding="utf-8").strip() if path.exists() else LAYOUT
    return None if found == LAYOUT else found


def prepare(settings: Settings) -> None:
    """Make the folder, or check that it is of this version."""
    foreign = foreign_version(settings)
    if foreign is not None:
        raise ForeignDataError(
            f"the data folder has layout {foreign}, this hub knows {LAYOUT}",
            where=str(settings.data_dir),
            mend="use the hub version that made it, or set HUB_DATA_DIR to another folder",
        )
    (settings.data_dir / "run").mkdir(parents=True, exist_ok=True)
    version_file(settings).write_text(LAYOUT + "\n", encoding="utf-8")


@contextmanager
def exclusively(settings: Settings) -> Iterator[None]:
    """Hold the folder's lock; the kernel drops it with the process, however it ends."""
    with lock_file(settings).open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise AlreadyRunningError(
                where=str(settings.data_dir),
                mend="`hub status` shows it, `hub down` stops it; another HUB_DATA_DIR and "
                "HUB_PORT_BASE run beside it",
            ) from error
        _end_leftovers(settings)
        yield


def is_running(settings: Settings) -> bool:
    """Whether a supervisor holds the folder."""
    path = lock_file(settings)
    if not path.exists():
        return False
    with path.open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def register(settings: Settings) -> Path:
    """Where this supervisor lists its process groups for its guardian."""
    return settings.data_dir / "run" / f"groups-{os.getpid()}"


def write_state(settings: Settings, state: dict[str, Any]) -> None:
    """Replace the state in one step: a reader sees the old one or the new one."""
    path = state_file(settings)
    draft = path.with_suffix(".draft")
    draft.write_text(json.dumps(state), encoding="utf-8")
    draft.replace(path)


def read_state(settings: Settings) -> dict[str, Any] | None:
    """The running supervisor's state; None if none runs."""
    if not is_running(settings):
        return None
    try:
        return json.loads(state_file(settings).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None


def _end_leftovers(settings: Settings) -> None:
    """End what a killed supervisor left, in case its guardian was killed with it."""
    for leftover in lock_file(settings).parent.glob("groups-*"):
        guardian.end_all(leftover, LEFTOVER_PATIENCE_S)
