"""Ends a hub's processes when their keeper is gone, even by `kill -9`.

The keeper holds the write end of a pipe to this small process, which reads until the end of
it: the kernel closes the pipe whatever kills the keeper. Then every process group in the
register is asked to stop, and killed after some patience.

Run as a script it needs nothing but the standard library, so that it costs little memory.
"""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

CLOSE_TIMEOUT_S = 30
POLL_S = 0.05


class Guardian:
    """The keeper's side: start it first, `add` each child, `close` it last."""

    def __init__(self, register: Path, patience_s: float, remove: Path | None = None) -> None:
        """`register` lists the children; `remove` is a folder to delete in the end."""
        self.register = register
        register.parent.mkdir(parents=True, exist_ok=True)
        register.touch()
        self._popen = subprocess.Popen(
            [
                *(sys.executable, "-I", "-S", __file__),
                *(str(register), str(patience_s), str(remove or "")),
            ],
            stdin=subprocess.PIPE,
            start_new_session=True,
            cwd="/",
        )

    @property
    def pid(self) -> int:
        """For tests that kill it."""
        return self._popen.pid

    def is_alive(self) -> bool:
        """Whether it still watches."""
        return self._popen.poll() is None

    def close(self) -> None:
        """Let it end what is left, and wait for it."""
        assert self._popen.stdin is not None
        self._popen.stdin.close()
        try:
            self._popen.wait(CLOSE_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self._popen.kill()
            self._popen.wait()


def add(register: Path, pid: int, stop_signal: signal.Signals) -> None:
    """Note a group leader; any process may do so, a line is written in one piece."""
    line = f"{pid} {started_ticks(pid)} {int(stop_signal)}\n"
    with register.open("a") as file:
        file.write(line)


def started_ticks(pid: int) -> str:
    """When this process started, to tell it from a later one of the same number."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return ""
    return text.rpartition(")")[2].split()[19]


def end_all(register: Path, patience_s: float) -> None:
    """Stop what the register lists, youngest first; kill what does not stop in time."""
    groups = _groups(register)
    for pid, number in groups:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(pid, number)
    deadline = time.monotonic() + patience_s
    while time.monotonic() < deadline and any(_is_alive(pid) for pid, _ in groups):
        time.sleep(POLL_S)
    for pid, _ in groups:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(pid, signal.SIGKILL)
    register.unlink(missing_ok=True)


def _groups(register: Path) -> list[tuple[int, int]]:
    """(group, signal) of each line whose leader is the same process still, or gone."""
    groups = []
    with contextlib.suppress(FileNotFoundError):
        for line in reversed(register.read_text().splitlines()):
            pid, ticks, number = line.split(" ")
            if started_ticks(int(pid)) in (ticks, ""):
                groups.append((int(pid), int(number)))
    return groups


def _is_alive(pgid: int) -> bool:
    try:
        os.killpg(pgid, 0)
    except (ProcessLookupError, PermissionError):
        return False
    return True


def main(register: str, patience_s: str, remove: str) -> None:
    """Wait for the keeper's end, then clean up after it."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    while os.read(0, 1024):
        pass
    end_all(Path(register), float(patience_s))
    if remove:
        shutil.rmtree(remove, ignore_errors=True)


if __name__ == "__main__":
    main(*sys.argv[1:4])
