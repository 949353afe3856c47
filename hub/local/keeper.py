"""Keeps one part of a hub: waits for what it needs, starts it, starts it again when it dies.

Not here: which parts there are (`services`), starting and ending all of them (`supervisor`).
"""

import contextlib
import threading
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from hub.errors import HubError, ServiceFailedError
from hub.local.process import Process
from hub.local.services import Service, Step

READY_POLL_S = 0.05
EXIT_POLL_S = 0.2
# The first restart is almost immediate, so that a crashed worker is back in under 2 s.
BACKOFF_FIRST_S = 0.1
BACKOFF_MAX_S = 30.0
# A service that ran this long had recovered: its next crash is a first one again.
STEADY_AFTER_S = 60.0
# A service that never was ready gets this many tries; one that was gets them for ever.
FIRST_STARTS_MAX = 3
LOG_TAIL_BYTES = 2000


class State(StrEnum):
    """Where a part is."""

    WAITING = "waiting"
    PREPARING = "preparing"
    STARTING = "starting"
    READY = "ready"
    DONE = "done"
    RESTARTING = "restarting"
    FAILED = "failed"
    STOPPING = "stopping"
    STOPPED = "stopped"


@dataclass(frozen=True)
class Change:
    """A part went to another state, or has something to say in the one it is in."""

    name: str
    state: State
    detail: str = ""


class Keeper:
    """One part, kept by a thread of its own."""

    def __init__(
        self,
        part: Service | Step,
        log: Path,
        report: Callable[[Change], None],
        born: Callable[[Process], None],
    ) -> None:
        """`report` hears of each change; `born` of each process, at once."""
        self.part = part
        self.log = log
        self.state = State.WAITING
        self.detail = ""
        self.restarts = 0
        self.process: Process | None = None
        self.is_settled = threading.Event()  # ready or done for the first time, or failed
        self.needs: list[Keeper] = []
        self._report = report
        self._born = born
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"keep-{part.name}", daemon=True)

    def start(self) -> None:
        """Begin; returns at once."""
        self._thread.start()

    @property
    def is_up(self) -> bool:
        """Whether others may lean on it."""
        return self.state in (State.READY, State.DONE)

    def stop(self) -> None:
        """End it and wait for that."""
        if self.state in (State.STARTING, State.READY):
            self._go(State.STOPPING)
        self._stopping.set()
        if self._thread.ident is not None:
            self._thread.join()
        if self.state not in (State.FAILED, State.DONE):
            self._go(State.STOPPED)

    def _run(self) -> None:
        try:
            self._await_needs()
            if isinstance(self.part, Step):
                self._go(State.PREPARING)
                self.part.run(self._say)
                self._go(State.DONE)
            elif not self._stopping.is_set():
                self._keep(self.part)
        except _Stopping:
            pass
        except HubError as error:
            self._go(State.FAILED, str(error))
        except Exception as error:  # noqa: BLE001 - whatever it is, the starter must hear of it
            self._note_in_log(traceback.format_exc())
            self._go(State.FAILED, f"{type(error).__name__}: {error} [{self.log}]")
        finally:
            if self.process is not None:
                self.process.stop()
            self.is_settled.set()

    def _await_needs(self) -> None:
        for need in self.needs:
            while not need.is_settled.wait(EXIT_POLL_S):
                self._leave_if_stopping()
            if need.state is State.FAILED:
                raise ServiceFailedError(f"not started, since {need.part.name} failed")
        self._leave_if_stopping()

    def _keep(self, service: Service) -> None:
        """Run it until told to stop; raise if it never gets ready."""
        if service.prepare is not None:
            self._go(State.PREPARING)
            service.prepare(self._say)
        backoff_s = BACKOFF_FIRST_S
        while not self._stopping.is_set():
            why = self._live(service)
            if not self.is_settled.is_set() and self.restarts + 1 >= FIRST_STARTS_MAX:
                raise ServiceFailedError(
                    f"{why}; the last of its log: {self._log_tail()}", where=str(self.log)
                )
            assert self.process is not None
            if time.monotonic() - self.process.started_at > STEADY_AFTER_S:
                backoff_s = BACKOFF_FIRST_S
            self.restarts += 1
            self._go(State.RESTARTING, f"{why}; again in {backoff_s:.1f} s")
            if self._stopping.wait(backoff_s):
                return
            backoff_s = min(backoff_s * 2, BACKOFF_MAX_S)

    def _live(self, service: Service) -> str:
        """One life of the process, from start to end; gives why it ended."""
        self.process = Process(service.command(), self.log)
        self._born(self.process)
        self._go(State.STARTING, f"pid {self.process.pid}")
        if not self._await_ready(service, self.process):
            self.process.stop()
            return f"not ready within {service.ready_timeout_s:.0f} s"
        if self.process.exit_code() is None:
            took_s = time.monotonic() - self.process.started_at
            self._go(State.READY, f"after {took_s:.1f} s, pid {self.process.pid}")
            self.is_settled.set()
        while not self.process.wait(EXIT_POLL_S):
            self._leave_if_stopping()
        self._leave_if_stopping()
        self.process.kill()  # what is left of its group
        return f"ended with {self.process.exit_code()}"

    def _await_ready(self, service: Service, process: Process) -> bool:
        """Whether it got ready, or ended; False when it takes too long."""
        deadline = time.monotonic() + service.ready_timeout_s
        while process.exit_code() is None and not service.is_ready():
            self._leave_if_stopping()
            if time.monotonic() > deadline:
                return False
            process.wait(READY_POLL_S)
        return True

    def _leave_if_stopping(self) -> None:
        if self._stopping.is_set():
            raise _Stopping

    def _say(self, detail: str) -> None:
        self._go(self.state, detail)

    def _go(self, state: State, detail: str = "") -> None:
        self.state, self.detail = state, detail
        self._report(Change(self.part.name, state, detail))

    def _note_in_log(self, text: str) -> None:
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("a", encoding="utf-8") as file:
            file.write(text)

    def _log_tail(self) -> str:
        with contextlib.suppress(OSError):
            return self.log.read_bytes()[-LOG_TAIL_BYTES:].decode(errors="replace").strip()
        return ""


class _Stopping(Exception):
    """The keeper was told to stop."""
