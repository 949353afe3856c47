"""Workers as processes: started, asked, measured, stopped and killed.

For the benchmark and for the consistency tests. Not here: what they are measured or killed for.
"""

import json
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path

import psutil

READY_TIMEOUT_S = 60.0
EXIT_TIMEOUT_S = 15.0
ASK_TIMEOUT_S = 2.0
POLL_S = 0.05


@dataclass
class WorkerProcess:
    """One worker: `python` and these arguments; what it says goes to `log`."""

    arguments: tuple[str, ...]
    log: Path
    health_port: int
    _popen: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    def start(self) -> "WorkerProcess":
        """Start it; an old log is kept and appended to."""
        with self.log.open("ab") as output:
            self._popen = subprocess.Popen(
                [sys.executable, *self.arguments, "--health-port", str(self.health_port)],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )
        return self

    @property
    def process(self) -> psutil.Process:
        """To read its CPU time and memory."""
        return psutil.Process(self._running().pid)

    def readiness(self) -> dict[str, object]:
        """The body of `/readyz`, or what kept it from answering."""
        try:
            return json.loads(self._get("/readyz"))
        except urllib.error.HTTPError as refusal:
            return json.loads(refusal.read())
        except OSError as error:
            return {"ok": False, "problems": [str(error)], "assigned": []}

    def has_answered(self) -> bool:
        """Whether its HTTP server is up."""
        try:
            return self._get("/healthz") != b""
        except OSError:
            return False

    def metrics(self) -> dict[str, float]:
        """The numbers of `/metrics`, by name and labels as they are written there."""
        lines = self._get("/metrics").decode().splitlines()
        pairs = (line.rpartition(" ") for line in lines if not line.startswith("#"))
        return {name: float(value) for name, _, value in pairs}

    def wait_until_ready(self, timeout_s: float = READY_TIMEOUT_S) -> None:
        """Return when it is ready; fail with the end of its log."""
        deadline = time.monotonic() + timeout_s
        while not self.readiness()["ok"]:
            gone = self._running().poll() is not None
            if gone or time.monotonic() > deadline:
                raise AssertionError(f"not ready: {self.readiness()} {self.tail()}")
            time.sleep(POLL_S)

    def signal(self, number: signal.Signals) -> None:
        """Send a signal, if it still runs."""
        if self._running().poll() is None:
            self._running().send_signal(number)

    def stop(self) -> int:
        """SIGTERM; gives the exit code."""
        self.signal(signal.SIGTERM)
        return self.wait()

    def kill(self) -> int:
        """SIGKILL, wherever it is."""
        self.signal(signal.SIGKILL)
        return self.wait()

    def wait(self, timeout_s: float = EXIT_TIMEOUT_S) -> int:
        """Its exit code."""
        return self._running().wait(timeout_s)

    def is_running(self) -> bool:
        """Whether it was started and has not ended."""
        return self._popen is not None and self._popen.poll() is None

    def tail(self, characters: int = 3000) -> str:
        """The end of its log."""
        return self.log.read_text(errors="replace")[-characters:]

    def _running(self) -> subprocess.Popen[bytes]:
        if self._popen is None:
            raise AssertionError("never started")
        return self._popen

    def _get(self, path: str) -> bytes:
        url = f"http://127.0.0.1:{self.health_port}{path}"
        with urllib.request.urlopen(url, timeout=ASK_TIMEOUT_S) as answer:
            return answer.read()
