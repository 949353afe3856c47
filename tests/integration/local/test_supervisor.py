"""The supervisor, with small scripts as services."""

import os
import signal
import socket
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from hub.errors import (
    AlreadyRunningError,
    ForeignDataError,
    PortTakenError,
    ServiceFailedError,
)
from hub.local import datafolder
from hub.local.keeper import Change, State
from hub.local.process import Command, Process
from hub.local.services import Service, Step
from hub.local.supervisor import Supervisor
from hub.settings import Settings
from hub.testing import free_port, is_running, wait_until

SLEEP = "import time; time.sleep(600)"


def script(name: str, code: str = SLEEP, **options: object) -> Service:
    """A service that runs this Python code and counts as ready at once."""
    values: dict = {"is_ready": lambda: True} | options
    argv = (sys.executable, "-c", textwrap.dedent(code))
    return Service(name, lambda: Command(argv, cwd=Path("/")), **values)


def test_parts_start_when_what_they_need_is_ready(settings: Settings) -> None:
    seen: list[tuple[str, State]] = []

    def report(change: Change) -> None:
        seen.append((change.name, change.state))

    is_open = [False]
    parts = [
        script("store", is_ready=lambda: is_open[0]),
        Step("shape", lambda say: None, after=("store",)),
        script("door", after=("shape",)),
    ]
    with Supervisor(settings, parts=parts, report=report) as hub:
        time.sleep(0.3)
        assert hub.state("door") is State.WAITING
        is_open[0] = True
        hub.wait_ready(timeout_s=60)
    order = [name for name, state in seen if state in (State.READY, State.DONE)]
    assert order == ["store", "shape", "door"]
    stopped = [name for name, state in seen if state is State.STOPPED]
    assert stopped == ["door", "store"]


def test_a_killed_service_is_back_in_under_two_seconds(settings: Settings) -> None:
    with Supervisor(settings, parts=[script("worker-0")]) as hub:
        hub.wait_ready(timeout_s=60)
        killed = hub.kill("worker-0")
        begin = time.monotonic()
        wait_until(lambda: hub.pid("worker-0") != killed, "another process")
        assert time.monotonic() - begin < 2
        hub.wait_ready("worker-0", timeout_s=60)
        assert hub.restarts("worker-0") == 1


def test_a_service_that_never_starts_fails_with_the_last_of_its_log(settings: Settings) -> None:
    broken = script(
        "broken", "print('no such file: recipe'); raise SystemExit(3)", is_ready=lambda: False
    )
    with Supervisor(settings, parts=[broken]) as hub:
        with pytest.raises(ServiceFailedError, match="no such file: recipe"):
            hub.wait_ready(timeout_s=60)
        assert hub.restarts("broken") == 2


def test_what_needs_a_failed_part_fails_too(settings: Settings) -> None:
    def fail(say: object) -> None:
        raise ValueError("bad migration")

    parts = [Step("shape", fail), script("door", after=("shape",))]
    with Supervisor(settings, parts=parts) as hub:
        with pytest.raises(ServiceFailedError, match="bad migration"):
            hub.wait_ready(timeout_s=60)
        wait_until(lambda: hub.state("door") is State.FAILED, "the door gives up")


def test_stopping_ends_children_of_children_and_those_that_refuse(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    stubborn = f"""
        import os, signal, subprocess, sys, time
        child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        open({str(tmp_path / "pids")!r}, "w").write(f"{{os.getpid()}} {{child.pid}}")
        time.sleep(600)
    """
    monkeypatch.setattr(Process.stop, "__defaults__", (0.5,))
    pids = tmp_path / "pids"
    with Supervisor(settings, parts=[script("stubborn", stubborn)]) as hub:
        hub.wait_ready(timeout_s=60)
        wait_until(lambda: pids.exists() and len(pids.read_text().split()) == 2, "it has a child")
    assert [pid for pid in map(int, pids.read_text().split()) if is_running(pid)] == []


def test_nothing_survives_a_kill_of_the_supervisor(settings: Settings) -> None:
    code = f"""
        import sys, time
        sys.path.insert(0, {str(Path(__file__).parent)!r})
        from test_supervisor import script
        from hub.local.supervisor import Supervisor
        from hub.settings import Settings
        hub = Supervisor(Settings(), parts=[script("one"), script("two", after=("one",))])
        hub.start(); hub.wait_ready(timeout_s=60)
        print(hub.pid("one"), hub.pid("two"), flush=True)
        time.sleep(600)
    """
    keeper = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code)],
        env=os.environ | settings.environment(),
        stdout=subprocess.PIPE,
        text=True,
    )
    assert keeper.stdout is not None
    with keeper, keeper.stdout:
        children = [int(pid) for pid in keeper.stdout.readline().split()]
        assert len(children) == 2
        keeper.send_signal(signal.SIGKILL)
        wait_until(lambda: not any(map(is_running, children)), "the children end", timeout_s=60)
    assert not datafolder.is_running(settings)


def test_a_killed_guardian_is_replaced(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hub.local.supervisor.HOUSEKEEPING_S", 0.1)
    with Supervisor(settings, parts=[script("one")]) as hub:
        hub.wait_ready(timeout_s=60)
        first = hub.guardian_pid
        os.kill(first, signal.SIGKILL)
        wait_until(lambda: hub.guardian_pid != first, "a new guardian")


def test_a_folder_has_one_supervisor_at_a_time(settings: Settings) -> None:
    with Supervisor(settings, parts=[script("one")]):
        with pytest.raises(AlreadyRunningError):
            Supervisor(settings, parts=[]).start()
        state = datafolder.read_state(settings)
        assert state is not None
        assert state["pid"] == os.getpid()
    assert datafolder.read_state(settings) is None


def test_a_folder_of_another_version_is_refused(settings: Settings) -> None:
    settings.data_dir.mkdir()
    datafolder.version_file(settings).write_text("7\n")
    with pytest.raises(ForeignDataError, match="layout 7"):
        Supervisor(settings, parts=[]).start()


def test_a_taken_port_is_refused_and_its_owner_named(settings: Settings) -> None:
    port = free_port()
    with socket.create_server(("127.0.0.1", port)):
        hub = Supervisor(settings, parts=[script("api", ports=(port,))])
        with pytest.raises(PortTakenError, match=rf"port {port} \(for api\).*pid {os.getpid()}"):
            hub.start()
        hub.stop()
    assert not datafolder.is_running(settings)
