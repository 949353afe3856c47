"""The guardian ends what a killed keeper left, and nothing else."""

import signal
import subprocess
import sys
from pathlib import Path

from hub.local import guardian
from hub.local.process import Command, Process
from hub.testing import is_running, wait_until

SLEEPER = Command((sys.executable, "-c", "import time; time.sleep(600)"), cwd=Path("/"))


def test_a_run_that_is_killed_leaves_no_process_and_no_folder(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    folder.mkdir()
    register = folder / "groups"
    keeper = guardian.Guardian(register, patience_s=3, remove=folder)
    child = Process(SLEEPER, tmp_path / "log")
    guardian.add(register, child.pid, signal.SIGTERM)
    keeper.close()  # what the kernel does to the pipe of a killed process
    assert child.wait(60)
    assert not folder.exists()
    child.kill()


def test_a_later_process_of_the_same_number_is_spared(tmp_path: Path) -> None:
    register = tmp_path / "groups"
    stranger = Process(SLEEPER, tmp_path / "log")
    ticks = int(guardian.started_ticks(stranger.pid))
    register.write_text(f"{stranger.pid} {ticks - 1} {int(signal.SIGKILL)}\n")
    guardian.end_all(register, patience_s=0.1)
    assert stranger.exit_code() is None
    stranger.kill()


def test_an_interrupted_test_run_ends_its_servers(tmp_path: Path) -> None:
    code = """
import sys, time
from pathlib import Path
from hub import testing
from hub.local import guardian
from hub.local.process import Command, Process
with testing.test_run() as folder:
    command = Command((sys.executable, "-c", "import time; time.sleep(600)"), cwd=Path("/"))
    child = Process(command, folder / "log")
    guardian.add(folder / "groups", child.pid, command.stop_signal)
    print(folder, child.pid, flush=True)
    time.sleep(600)
"""
    run = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert run.stdout is not None
    with run, run.stdout:
        folder, pid = run.stdout.readline().split()
        run.kill()
    wait_until(lambda: not Path(folder).exists(), "the folder is gone", timeout_s=60)
    # Whoever inherits what has ended may take a while to notice.
    wait_until(lambda: not is_running(int(pid)), "its servers ended", timeout_s=60)
