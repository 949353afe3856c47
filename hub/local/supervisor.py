"""Starts, watches and ends all parts of a hub; also a library for the demo and for tests.

    with Supervisor(settings) as hub:
        hub.wait_ready()
        hub.kill("worker-0")          # kill -9; it is back in under 2 s

A guardian process ends everything if this process is killed. Not here: one part's life
(`keeper`), the list of parts (`services`), the data folder (`datafolder`).
"""

import os
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from typing import Self

from hub import __version__
from hub.errors import ServiceFailedError
from hub.local import datafolder, guardian, logs, ports
from hub.local.keeper import Change, Keeper, State
from hub.local.process import STOP_PATIENCE_S, Process
from hub.local.services import Service, Step, plan, wanted_ports
from hub.settings import Settings

HOUSEKEEPING_S = 5.0
READY_TIMEOUT_S = 600.0
POLL_S = 0.02


class Supervisor:
    """All parts of one hub (or those named in `only`), from `start` to `stop`."""

    def __init__(
        self,
        settings: Settings,
        *,
        only: Sequence[str] | None = None,
        parts: Sequence[Service | Step] | None = None,
        report: Callable[[Change], None] = lambda _: None,
    ) -> None:
        """`report` hears each change of a part's state; `parts` replace those of the plan."""
        self.settings = settings
        self._report = report
        self._parts = list(parts) if parts is not None else plan(settings, only)
        self._keepers: dict[str, Keeper] = {}
        self._stack = ExitStack()
        self._lock = threading.Lock()
        self._is_stopping = threading.Event()
        self._guardian: guardian.Guardian | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Take the data folder and begin to start everything; returns at once."""
        datafolder.prepare(self.settings)
        with ExitStack() as stack:
            stack.enter_context(datafolder.exclusively(self.settings))
            ports.refuse_taken(wanted_ports(self._parts))
            self._guard()
            self._stack = stack.pop_all()
        for part in self._parts:
            log = datafolder.logs(self.settings) / f"{part.name}.log"
            self._keepers[part.name] = Keeper(part, log, self._changed, self._born)
        for keeper in self._keepers.values():
            keeper.needs = [self._keepers[name] for name in keeper.part.after]
        datafolder.write_state(self.settings, self.snapshot())
        for keeper in self._keepers.values():
            keeper.start()
        threading.Thread(target=self._keep_house, name="housekeeping", daemon=True).start()

    def wait_ready(self, *names: str, timeout_s: float = READY_TIMEOUT_S) -> None:
        """Wait until these parts (all, if none is named) are up; raise if one failed."""
        wanted = [self._keepers[name] for name in names] or list(self._keepers.values())
        deadline = time.monotonic() + timeout_s
        while not all(keeper.is_up for keeper in wanted):
            self._raise_failures(wanted)
            if time.monotonic() > deadline:
                late = ", ".join(keeper.part.name for keeper in wanted if not keeper.is_up)
                raise ServiceFailedError(f"not ready within {timeout_s:.0f} s: {late}")
            time.sleep(POLL_S)

    def is_ready(self) -> bool:
        """Whether all parts are up; raises if one failed."""
        self._raise_failures(list(self._keepers.values()))
        return all(keeper.is_up for keeper in self._keepers.values())

    def stop(self) -> None:
        """End all parts, the last started first, and leave no process behind."""
        if self._is_stopping.is_set():
            return
        self._is_stopping.set()
        self._end_keepers()
        if self._guardian is not None:
            self._guardian.close()
        self._stack.close()

    def names(self) -> list[str]:
        """The services, in order of their start."""
        return [part.name for part in self._parts if isinstance(part, Service)]

    def addresses(self) -> dict[str, str]:
        """Where each service listens."""
        services = [part for part in self._parts if isinstance(part, Service)]
        return {service.name: service.address for service in services if service.address}

    def state(self, name: str) -> State:
        """Where this part is."""
        return self._keepers[name].state

    def restarts(self, name: str) -> int:
        """How often this service was started again."""
        return self._keepers[name].restarts

    def pid(self, name: str) -> int:
        """The pid of this service's present process, leader of its group."""
        process = self._keepers[name].process
        if process is None:
            raise ServiceFailedError(f"{name} has not been started")
        return process.pid

    @property
    def guardian_pid(self) -> int:
        """The pid of the process that ends everything when we are killed."""
        assert self._guardian is not None
        return self._guardian.pid

    def kill(self, name: str) -> int:
        """`kill -9` the service's whole group; gives the pid killed. It comes back by itself."""
        process = self._keepers[name].process
        if process is None:
            raise ServiceFailedError(f"{name} has not been started")
        process.kill()
        return process.pid

    def _end_keepers(self) -> None:
        """Each part ends as soon as all that need it have ended."""
        enders: dict[str, threading.Thread] = {}

        def end(keeper: Keeper) -> None:
            for needy in self._keepers.values():
                if keeper in needy.needs:
                    enders[needy.part.name].join()
            keeper.stop()

        for keeper in self._keepers.values():
            enders[keeper.part.name] = threading.Thread(target=end, args=(keeper,))
        # The needy come later in the plan: begun first, they can be waited for by the others.
        for ender in reversed(enders.values()):
            ender.start()
        for ender in enders.values():
            ender.join()

    def _raise_failures(self, keepers: list[Keeper]) -> None:
        failed = [one for one in keepers if one.state is State.FAILED]
        if failed:
            what = "; ".join(f"{one.part.name}: {one.detail}" for one in failed)
            raise ServiceFailedError(what, mend="`hub doctor` looks for usual causes")

    def _guard(self) -> None:
        register = datafolder.register(self.settings)
        self._guardian = guardian.Guardian(register, STOP_PATIENCE_S)

    def _born(self, process: Process) -> None:
        register = datafolder.register(self.settings)
        guardian.add(register, process.pid, process.command.stop_signal)

    def _changed(self, change: Change) -> None:
        with self._lock:
            datafolder.write_state(self.settings, self.snapshot())
            self._report(change)

    def snapshot(self) -> dict:
        """What `hub status` shows."""
        return {
            "pid": os.getpid(),
            "version": __version__,
            "is_stopping": self._is_stopping.is_set(),
            "services": [_describe(keeper) for keeper in self._keepers.values()],
        }

    def _keep_house(self) -> None:
        """Bound the logs, and replace the guardian if somebody killed it."""
        while not self._is_stopping.wait(HOUSEKEEPING_S):
            logs.bound(datafolder.logs(self.settings))
            if self._guardian is not None and not self._guardian.is_alive():
                self._guardian.close()
                self._guard()


def _describe(keeper: Keeper) -> dict:
    is_service = isinstance(keeper.part, Service)
    process = keeper.process
    return {
        "name": keeper.part.name,
        "kind": "service" if is_service else "step",
        "state": keeper.state,
        "detail": keeper.detail,
        "pid": process.pid if process and process.exit_code() is None else None,
        "restarts": keeper.restarts,
        "address": keeper.part.address if isinstance(keeper.part, Service) else "",
        "log": str(keeper.log) if is_service else "",
    }
