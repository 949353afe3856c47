"""The doctor's look at the machine: Python, memory, ports, Java, browser, environment."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator

import psutil

from hub.local import datafolder, kafka, ports
from hub.local.doctor.problem import Problem
from hub.local.services import plan, wanted_ports
from hub.settings import Settings

PYTHON = (3, 11)
# Kafka 0.7 GB, two workers 0.4, Postgres 0.5, Dagster's four processes 1.2, the API 0.1.
MEMORY_BYTES_MIN = 3 * 1024**3
JAVA_MIN = 17  # Kafka 4 runs on nothing older
JAVA_TIMEOUT_S = 10
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
# Variables that begin like settings and are not: the hub sets them for its own processes.
INTERNAL_VARIABLES = re.compile(r"HUB_(DBT_\w+|DAGSTER_URL|TEST_\w+|WORKER_INDEX|DEMO_\w+)")


def python_is_the_right_one(settings: Settings) -> Iterator[Problem]:
    """The lock is resolved for one minor version."""
    if sys.version_info[:2] != PYTHON:
        yield Problem(
            what=f"Python {sys.version_info[0]}.{sys.version_info[1]} runs the hub",
            why="the locked packages are for Python 3.11",
            mend="install python3.11, delete .venv and run `make demo` again",
        )


def memory_suffices(settings: Settings) -> Iterator[Problem]:
    """Of what is free now, unless the hub already runs in it."""
    memory = psutil.virtual_memory()
    if memory.total < MEMORY_BYTES_MIN:
        yield Problem(
            what=f"the machine has {memory.total / 1e9:.1f} GB of memory",
            why=f"all parts together need about {MEMORY_BYTES_MIN / 1e9:.0f} GB",
            mend="use a larger machine, or give a Kafka and a Postgres elsewhere by URL",
        )
    elif memory.available < MEMORY_BYTES_MIN and not datafolder.is_running(settings):
        yield Problem(
            what=f"only {memory.available / 1e9:.1f} GB of memory are free",
            why="parts of the hub may be killed for lack of memory",
            mend="close other programs",
            level="note",
        )


def ports_are_free(settings: Settings) -> Iterator[Problem]:
    """Unless it is this very hub that uses them."""
    if datafolder.is_running(settings):
        return
    for taken in ports.taken(wanted_ports(plan(settings))):
        yield Problem(
            what=f"port {taken.port} is taken by {taken.by}",
            why=f"{taken.name} wants to listen there",
            mend="stop that process, or set HUB_PORT_BASE to the first of 45 free ports",
        )


def java_is_new_enough(settings: Settings) -> Iterator[Problem]:
    """The Java of `HUB_JAVA`, or the one the environment brings."""
    if settings.kafka_brokers is not None:
        return
    path = kafka.java(settings)
    try:
        done = subprocess.run(
            [str(path), "-version"],
            check=False,
            capture_output=True,
            text=True,
            timeout=JAVA_TIMEOUT_S,
        )
        answer = done.stderr or done.stdout
    except (OSError, subprocess.TimeoutExpired) as error:
        answer = str(error)
    major = java_major(answer)
    if major is None or major < JAVA_MIN:
        is_own = settings.java is None
        yield Problem(
            what=f"{path} is {f'Java {major}' if major else 'no Java that runs'}",
            why=f"Kafka needs Java {JAVA_MIN} or newer",
            mend="run `make demo` again to repair the environment" if is_own else "unset HUB_JAVA",
        )


def java_major(version_output: str) -> int | None:
    """17 of `openjdk version "17.0.15" …`, 8 of `java version "1.8.0_291"`."""
    found = re.search(r'version "(?:1\.)?(\d+)', version_output)
    return int(found[1]) if found else None


def settings_are_known(settings: Settings) -> Iterator[Problem]:
    """A misspelt variable would otherwise do nothing, in silence."""
    known = {f"HUB_{name.upper()}" for name in Settings.model_fields}
    for name in sorted(os.environ):
        if name.startswith("HUB_") and name not in known and not INTERNAL_VARIABLES.match(name):
            yield Problem(
                what=f"{name} is set",
                why="no setting has this name, so it does nothing",
                mend="correct the name (the README lists all) or unset it",
                level="note",
            )


def a_browser_is_there(settings: Settings) -> Iterator[Problem]:
    """Only tests of the pages need one."""
    if not any(shutil.which(name) for name in BROWSERS):
        yield Problem(
            what="no Chromium was found",
            why="the browser tests are skipped without one; nothing else needs it",
            mend="apt-get install chromium",
            level="note",
        )
