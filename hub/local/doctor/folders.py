"""The doctor's look at folders: data of another version, disk space, the cache."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from hub.local import datafolder, jars, postgres
from hub.local.doctor.problem import Problem
from hub.settings import Settings

DISK_BYTES_MIN = 3 * 1024**3
OTHERS_MAY_READ = 0o077


def data_folder_is_ours(settings: Settings) -> Iterator[Problem]:
    """Ours to write, and made by this version."""
    another = "use the version that made it, or set HUB_DATA_DIR to another folder"
    if not _is_writable(settings.data_dir):
        yield Problem(
            what=f"{settings.data_dir} is not writable",
            why="all data, logs and keys of the hub are kept there",
            mend="give it to this user, or set HUB_DATA_DIR to another folder",
        )
    foreign = datafolder.foreign_version(settings)
    if foreign is not None:
        yield Problem(
            what=f"{settings.data_dir} has layout {foreign}",
            why=f"this version of the hub knows layout {datafolder.LAYOUT}",
            mend=another,
        )
    major = _postgres_major(settings)
    if major not in (None, postgres.POSTGRES_MAJOR):
        yield Problem(
            what=f"{postgres.folder(settings)} belongs to PostgreSQL {major}",
            why=f"the hub runs PostgreSQL {postgres.POSTGRES_MAJOR}, which can't read it",
            mend=another,
        )
    key = settings.data_dir / "secret.key"
    if key.exists() and key.stat().st_mode & OTHERS_MAY_READ:
        yield Problem(
            what=f"{key} may be read by others",
            why="every password and key of the hub derives from it",
            mend=f"chmod 600 {key}",
        )


def disk_suffices(settings: Settings) -> Iterator[Problem]:
    """For the data, and for downloads."""
    for folder in {_existing(settings.data_dir), _existing(settings.cache_dir)}:
        free = shutil.disk_usage(folder).free
        if free < DISK_BYTES_MIN:
            yield Problem(
                what=f"{free / 1e9:.1f} GB are free where {folder} is",
                why=f"a first run takes about {DISK_BYTES_MIN / 1e9:.0f} GB; "
                "Postgres and Kafka stop on a full disk",
                mend="free some space, or set HUB_DATA_DIR and HUB_CACHE_DIR to another disk",
            )


def cache_is_usable(settings: Settings) -> Iterator[Problem]:
    """A cache folder that can't be written is fine once everything is in it."""
    if jars.missing(settings) and not _is_writable(settings.cache_dir):
        yield Problem(
            what=f"{settings.cache_dir} is not writable",
            why="parts that are still missing are downloaded to it",
            mend="give it to this user, or set HUB_CACHE_DIR to another folder",
        )


def _postgres_major(settings: Settings) -> str | None:
    try:
        return (postgres.folder(settings) / "PG_VERSION").read_text().strip()
    except OSError:
        return None


def _existing(folder: Path) -> Path:
    """The folder, or the nearest above it that exists."""
    return next(one for one in (folder, *folder.parents) if one.exists())


def _is_writable(folder: Path) -> bool:
    return os.access(_existing(folder), os.W_OK | os.X_OK)
