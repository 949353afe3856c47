"""The jars of Kafka: downloaded once into the cache folder, checked by their hashes.

`kafka.lock` pins every jar; it holds coordinates only. `jgo` finds them in Maven Central, in
the repositories of the user's own jgo settings, or in the mirror that HUB_MIRRORS names.
Run as a module this file makes `kafka.lock` anew. Not here: running Kafka (`kafka`).
"""

import hashlib
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from hub.errors import DownloadError
from hub.settings import Settings, load

if TYPE_CHECKING:
    from jgo.maven import MavenContext

KAFKA = "org.apache.kafka:kafka_2.13:4.3.1"
# Kafka's own coordinate names no logger; without one a broker dies in silence.
LOGGER = "org.apache.logging.log4j:log4j-slf4j-impl:2.25.4"
LOCK = Path(__file__).with_name("kafka.lock")
SCOPES = ("compile", "runtime")
DOWNLOADS_AT_ONCE = 6
ATTEMPTS_MAX = 3
HTTP_TIMEOUT_S = 30

# Called with (jars done, jars in all, bytes so far).
Progress = Callable[[int, int, int], None]


@dataclass(frozen=True)
class Jar:
    """One pinned jar."""

    group: str
    artifact: str
    version: str
    sha256: str

    @property
    def file_name(self) -> str:
        """Its name in the cache folder."""
        return f"{self.artifact}-{self.version}.jar"


def pinned() -> list[Jar]:
    """The jars `kafka.lock` names."""
    lines = LOCK.read_text(encoding="utf-8").splitlines()
    return [_parse(line) for line in lines if line and not line.startswith("#")]


def folder(settings: Settings) -> Path:
    """Where the jars are kept; a jar is in it whole or not at all."""
    return settings.cache_dir / KAFKA.replace(":", "-")


def missing(settings: Settings) -> list[Jar]:
    """The jars still to be downloaded."""
    return [jar for jar in pinned() if not (folder(settings) / jar.file_name).exists()]


def class_path(settings: Settings) -> str:
    """All jars, as Java wants them named."""
    return os.pathsep.join(str(folder(settings) / jar.file_name) for jar in pinned())


def download(settings: Settings, progress: Progress = lambda *_: None) -> None:
    """Fetch what is missing; raises `DownloadError`. Offline if nothing is."""
    wanted = missing(settings)
    if not wanted:
        return
    try:
        folder(settings).mkdir(parents=True, exist_ok=True)
        with (
            tempfile.TemporaryDirectory(dir=settings.cache_dir, prefix="draft-") as draft,
            ThreadPoolExecutor(DOWNLOADS_AT_ONCE) as pool,
        ):
            context = _context(settings, Path(draft))
            sizes = pool.map(lambda jar: _fetch(context, jar, folder(settings)), wanted)
            _report(sizes, len(wanted), progress)
    except OSError as error:
        raise DownloadError(
            f"{type(error).__name__}: {error}",
            where=str(settings.cache_dir),
            mend="HUB_MIRRORS=maven=URL names a nearer source, HUB_CACHE_DIR another folder; "
            "`hub doctor --mirrors` measures",
        ) from error


def fetch_alone(settings: Settings, jar: Jar, target: Path) -> int:
    """Download one jar to a folder, past the cache; gives its size in bytes."""
    with _draft_context(settings) as context:
        return _fetch(context, jar, target)


def _parse(line: str) -> Jar:
    coordinate, sha256 = line.split()
    group, artifact, version = coordinate.split(":")
    return Jar(group, artifact, version, sha256)


def _report(sizes: Iterator[int], count: int, progress: Progress) -> None:
    total = 0
    for done, size in enumerate(sizes, start=1):
        total += size
        progress(done, count, total)


def _fetch(context: "MavenContext", jar: Jar, target: Path) -> int:
    """Download one jar and check it; give its size in bytes."""
    path = _download(context, jar)
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    if found != jar.sha256:
        raise DownloadError(
            f"{jar.file_name} has SHA-256 {found}, pinned is {jar.sha256}",
            mend="do not trust this source: set another by HUB_MIRRORS=maven=URL",
        )
    shutil.move(path, target / jar.file_name)
    return (target / jar.file_name).stat().st_size


def _download(context: "MavenContext", jar: Jar) -> Path:
    component = context.project(jar.group, jar.artifact).at_version(jar.version)
    last: Exception | None = None
    for _ in range(ATTEMPTS_MAX):
        try:
            return component.artifact().resolve()
        # jgo raises RuntimeError for "not found anywhere"; requests' errors are OSErrors.
        except (RuntimeError, OSError) as error:
            last = error
            _drop_part(context, component.path_prefix)
    raise DownloadError(
        f"{jar.file_name} could not be downloaded: {last}",
        mend="see `hub doctor --mirrors`; HUB_MIRRORS=maven=URL sets another source",
    ) from last


def _drop_part(context: "MavenContext", component: Path) -> None:
    """Delete what a broken download left: jgo would take it for the whole file."""
    for part in (context.repo_cache / component).glob("*.jar"):
        part.unlink()


def _context(settings: Settings, draft: Path) -> "MavenContext":
    from jgo.config import GlobalSettings
    from jgo.maven import MavenContext

    mirror = settings.mirror("maven")
    repositories = {"mirror": mirror} if mirror else GlobalSettings.load().repositories
    return MavenContext(repo_cache=draft, remote_repos=repositories or None, timeout=HTTP_TIMEOUT_S)


def lock_lines(settings: Settings) -> list[str]:
    """Resolve Kafka's coordinate anew; the lines of `kafka.lock`."""
    from jgo.parse import Coordinate

    with _draft_context(settings) as context:
        kafka, logger = (
            context.create_dependency(replace(Coordinate.parse(one), scope="compile"))
            for one in (KAFKA, LOGGER)
        )
        given, further = context.resolver.resolve([kafka])
        # Resolved together the logger's parent would dictate versions to Kafka.
        needed = [*(one for one in (*given, *further) if one.scope in SCOPES), logger]
        return sorted(
            f"{one.groupId}:{one.artifactId}:{one.version} "
            + hashlib.sha256(one.artifact.resolve().read_bytes()).hexdigest()
            for one in needed
        )


@contextmanager
def _draft_context(settings: Settings) -> "Iterator[MavenContext]":
    with tempfile.TemporaryDirectory(prefix="hub-jars-") as draft:
        yield _context(settings, Path(draft))


if __name__ == "__main__":
    HEAD = [
        f"# The jars of {KAFKA}: coordinate and SHA-256 of each.",
        "# Made by `python -m hub.local.jars`.",
    ]
    LOCK.write_text("\n".join([*HEAD, *lock_lines(load()), ""]), encoding="utf-8")
    sys.exit(0)
