"""The parsed dbt project: its manifest and the lineage of its columns, made once and kept.

Both lie in the hub's data folder, made at set-up or by whoever needs them first after a change.
Not here: running dbt (`hub_assets.dbt`).
"""

import fcntl
import json
import os
import subprocess
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hub.errors import HubError
from hub.settings import Settings
from hub_assets import dbt, lineage
from hub_assets.lineage import Lineage

PARSE_TIMEOUT_S = 300
SOURCES = ("*.yml", "macros/*.sql", "models/**/*", "tests/**/*.sql")


class ProjectError(HubError):
    """The dbt project can't be parsed."""


@dataclass(frozen=True)
class Project:
    """Where the parsed project lies."""

    manifest_path: Path
    lineage_path: Path

    def manifest(self) -> dict[str, Any]:
        """What dbt knows of the project."""
        return json.loads(self.manifest_path.read_text(encoding="utf-8"))

    def lineage(self) -> Lineage:
        """Where each column comes from."""
        found = json.loads(self.lineage_path.read_text(encoding="utf-8"))
        return {relation: _columns(columns) for relation, columns in found.items()}


def prepare(settings: Settings) -> Project:
    """Parse the project, unless that was done since it changed. Some 5 s, or nothing."""
    target = dbt.target(settings)
    target.mkdir(parents=True, exist_ok=True)
    project = Project(target / "manifest.json", target / "lineage.json")
    with (target / "prepare.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not _is_newer(project.manifest_path, _sources()):
            _parse(settings)
        if not _is_newer(project.lineage_path, [project.manifest_path]):
            found = lineage.read(project.manifest())
            project.lineage_path.write_text(json.dumps(found), encoding="utf-8")
    return project


def _columns(kept: dict[str, Any]) -> dict[str, list[lineage.Column]]:
    return {name: [(of, column) for of, column in parents] for name, parents in kept.items()}


def _sources() -> Iterator[Path]:
    return (path for pattern in SOURCES for path in dbt.PROJECT_DIR.glob(pattern) if path.is_file())


def _is_newer(made: Path, than: Iterable[Path]) -> bool:
    if not made.exists():
        return False
    made_at = made.stat().st_mtime
    return all(path.stat().st_mtime <= made_at for path in than)


def _parse(settings: Settings) -> None:
    program = Path(sys.executable).with_name("dbt")
    done = subprocess.run(
        [program, "parse", "--quiet"],
        cwd=dbt.PROJECT_DIR,
        env=os.environ | dbt.environment(settings),
        capture_output=True,
        text=True,
        timeout=PARSE_TIMEOUT_S,
        check=False,
    )
    if done.returncode != 0:
        raise ProjectError(done.stdout + done.stderr, where=str(dbt.PROJECT_DIR))
