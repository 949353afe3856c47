"""One child process in its own group: started, asked to stop, killed in the end.

Not here: when to start it again (`supervisor`), and who cleans up when even the supervisor
is killed (`guardian`).
"""

import contextlib
import os
import select
import signal
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

# SIGTERM, this long, SIGKILL: a worker ends its write (10 s is the longest) and leaves.
STOP_PATIENCE_S = 10.0


@dataclass(frozen=True)
class Command:
    """What to run. `user` is the account to run as, when the caller is root."""

    argv: tuple[str, ...]
    cwd: Path
    env: dict[str, str] = field(default_factory=dict)
    user: str | None = None
    stop_signal: signal.Signals = signal.SIGTERM


class Process:
    """A running command, leader of its own session and group."""

    def __init__(self, command: Command, log: Path) -> None:
        """Start it now; its output is appended to `log`."""
        self.command = command
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("ab") as output:
            self._popen = subprocess.Popen(
                command.argv,
                cwd=command.cwd,
                env={**os.environ, **command.env},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                **account(command.user),
            )
        self.started_at = time.monotonic()

    @property
    def pid(self) -> int:
        """The leader's pid, which is the group's too."""
        return self._popen.pid

    def exit_code(self) -> int | None:
        """None while the leader runs."""
        return self._popen.poll()

    def signal(self, number: signal.Signals) -> None:
        """Send to the whole group; nothing happens if it is gone."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, number)

    def stop(self, patience_s: float = STOP_PATIENCE_S) -> None:
        """Ask to stop, wait, then kill what is left of the group."""
        if self.exit_code() is None:
            self.signal(self.command.stop_signal)
            self.wait(patience_s)
        self.kill()

    def kill(self) -> None:
        """End the whole group at once."""
        self.signal(signal.SIGKILL)
        self._popen.wait()

    def wait(self, patience_s: float) -> bool:
        """Whether the leader ended within this time. Sleeps in the kernel: costs nothing."""
        if self.exit_code() is not None:
            return True
        try:
            handle = os.pidfd_open(self.pid)
        except ProcessLookupError:
            return self.exit_code() is not None
        try:
            waiter = select.poll()
            waiter.register(handle, select.POLLIN)
            waiter.poll(patience_s * 1000)
        finally:
            os.close(handle)
        return self.exit_code() is not None


def account(user: str | None) -> dict[str, Any]:
    """The arguments by which `subprocess` runs as another user; none for None."""
    if user is None:
        return {}
    return {"user": user, "group": user, "extra_groups": []}
