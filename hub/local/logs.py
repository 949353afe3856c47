"""Bounds the services' log files, while they write to them.

A service appends to a file it has open, so a full file is copied and cut, not renamed. The few
lines written between copy and cut are lost; that is the price of needing no reader process.
"""

import contextlib
import os
import shutil
from pathlib import Path

FILE_BYTES_MAX = 20 * 1024 * 1024
OLD_FILES_MAX = 2


def bound(folder: Path, bytes_max: int = FILE_BYTES_MAX) -> None:
    """Cut each log of the folder that is too long, keeping `OLD_FILES_MAX` older pieces."""
    for log in folder.glob("*.log"):
        with contextlib.suppress(OSError):
            if log.stat().st_size > bytes_max:
                _rotate(log)


def _rotate(log: Path) -> None:
    for number in range(OLD_FILES_MAX, 1, -1):
        older = log.with_suffix(f".log.{number - 1}")
        if older.exists():
            older.replace(log.with_suffix(f".log.{number}"))
    shutil.copyfile(log, log.with_suffix(".log.1"))
    os.truncate(log, 0)
