"""Building the marts by Dagster, in a process of its own, and what came of it."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass

from hub.errors import HubError
from hub.local import dagster
from hub.local.services import ROOT
from hub.settings import Settings

TIMEOUT_S = 1800
"""The whole year on a small machine takes minutes; a build this long hangs."""
TAIL_CHARS = 3000


class MartsFailedError(HubError):
    """The marts could not be built."""


@dataclass(frozen=True)
class Refreshed:
    """Marts with their rows, and how the data tests and invariants of the asset graph went."""

    rows: dict[str, int]
    checks_passed: int
    checks_failed: int
    failed: tuple[str, ...]
    compared: dict[str, dict[str, int]]
    """Comparison with a channel's own list -> rows that matched, and that drift in each way."""
    is_complete: bool

    @property
    def lists_agree(self) -> dict[str, bool]:
        """Whether each list and the hub hold the same, and that something."""
        return {
            name: counts["matched"] == sum(counts.values()) > 0
            for name, counts in self.compared.items()
        }


def refresh(settings: Settings) -> Refreshed:
    """Build all marts and run all checks of the asset graph. Raises if no mart came of it.

    A process of its own: Dagster and dbt take some 400 MB, and read the environment.
    """
    environment = {**os.environ, **dagster.environment(settings)}
    finished = subprocess.run(
        [sys.executable, "-m", "hub_assets.materialize"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )
    lines = finished.stdout.strip().splitlines()
    try:
        found = json.loads(lines[-1])
        if not found["rows"]:
            raise KeyError("rows")
        return Refreshed(
            rows=found["rows"],
            checks_passed=found["checks_passed"],
            checks_failed=found["checks_failed"],
            failed=tuple(found["failed"]),
            compared=found["compared"],
            is_complete=found["success"],
        )
    except (IndexError, KeyError, json.JSONDecodeError) as error:
        said = (finished.stdout + finished.stderr)[-TAIL_CHARS:]
        raise MartsFailedError(said, where="hub_assets.materialize") from error
