"""The doctor's look at the sources of downloads: is Kafka here or to be had, and how fast."""

import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from hub.errors import DownloadError
from hub.local import jars
from hub.local.doctor.problem import Problem
from hub.settings import Settings

# A small package and a small jar: enough to tell a near source from a far one.
PROBE_PACKAGE = "tzdata==2026.6"
PROBE_ARTIFACT = "caffeine"
PROBE_TIMEOUT_S = 60


@dataclass(frozen=True)
class Speed:
    """How one source of downloads answered; `seconds` is None if it did not."""

    source: str
    is_mirror: bool
    seconds: float | None
    kilobytes_per_s: float | None
    error: str = ""


def kafka_is_here_or_reachable(settings: Settings) -> Iterator[Problem]:
    """Fetches one small jar only if some are missing."""
    if settings.kafka_brokers is not None or not jars.missing(settings):
        return
    speed = measure_maven(settings)
    if speed.seconds is None:
        yield Problem(
            what="Kafka is not downloaded yet, and its source does not answer",
            why=speed.error,
            mend="set HUB_MIRRORS=maven=URL to a Maven repository you can reach",
        )


def measure(settings: Settings) -> list[Speed]:
    """Fetch something small from each source."""
    return [measure_maven(settings), measure_pypi(settings)]


def measure_maven(settings: Settings) -> Speed:
    """One jar, by the same way as `hub up` would fetch it."""
    probe = next(jar for jar in jars.pinned() if jar.artifact == PROBE_ARTIFACT)
    is_mirror = settings.mirror("maven") is not None
    begin = time.monotonic()
    try:
        with tempfile.TemporaryDirectory(prefix="hub-doctor-") as folder:
            size = jars.fetch_alone(settings, probe, Path(folder))
    except (DownloadError, OSError) as error:
        return Speed("maven", is_mirror, None, None, str(error))
    return _speed("maven", is_mirror, begin, size)


def measure_pypi(settings: Settings) -> Speed:
    """One package, by the installer and its configuration."""
    mirror = settings.mirror("pypi")
    index = ["--index-url", mirror] if mirror else []
    begin = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="hub-doctor-") as folder:
        argv = [
            *(sys.executable, "-m", "uv", "pip", "install", "--quiet", "--no-deps", "--no-cache"),
            *(*index, "--target", folder, PROBE_PACKAGE),
        ]
        try:
            subprocess.run(
                argv, check=True, capture_output=True, text=True, timeout=PROBE_TIMEOUT_S
            )
        except subprocess.CalledProcessError as error:
            return Speed("pypi", mirror is not None, None, None, error.stderr.strip()[-300:])
        except (OSError, subprocess.TimeoutExpired) as error:
            return Speed("pypi", mirror is not None, None, None, str(error))
        size = sum(file.stat().st_size for file in Path(folder).rglob("*") if file.is_file())
    return _speed("pypi", mirror is not None, begin, size)


def _speed(source: str, is_mirror: bool, begin: float, size: int) -> Speed:
    seconds = time.monotonic() - begin
    return Speed(source, is_mirror, round(seconds, 2), round(size / 1000 / seconds, 1))
