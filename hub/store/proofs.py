"""When the tests that prove an invariant last passed here: a small file beside the code.

An invariant that no row can show is proved by tests; `hub check` says when they last ran on this
machine, so that a proof nobody ran is no proof. The tests write it (`tests/conftest.py`).
"""

import json
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

FILE = Path(__file__).resolve().parents[2] / ".proofs.json"


def note(passed: Iterable[str], at: datetime, file: Path = FILE) -> None:
    """Note that all that ran of these paths (a test file, or a folder of them) passed."""
    times = {path: at.isoformat() for path in passed}
    if times:
        known = {path: time.isoformat() for path, time in read(file).items()}
        file.write_text(json.dumps(known | times, indent=1, sort_keys=True) + "\n", "utf-8")


def read(file: Path = FILE) -> dict[str, datetime]:
    """When each path last passed; empty if no test ever ran here."""
    try:
        noted = json.loads(file.read_text("utf-8"))
        return {path: datetime.fromisoformat(time) for path, time in noted.items()}
    except (OSError, ValueError, AttributeError):
        return {}
