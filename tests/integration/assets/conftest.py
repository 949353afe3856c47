"""Dagster's side on a fresh database: settings by the environment, as its processes have them."""

import os
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest

from hub.settings import Settings
from hub.testing import RUN_VARIABLE, Database


@pytest.fixture
def hub(database: Database, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """The settings of the test's database, which are also those of the environment."""
    for name in [name for name in os.environ if name.startswith("HUB_")]:
        if name != RUN_VARIABLE:
            monkeypatch.delenv(name)
    for name, value in database.settings.environment().items():
        monkeypatch.setenv(name, value)
    return database.settings


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    """A Dagster of the test's own."""
    quiet = {"telemetry": {"enabled": False}}
    with dg.DagsterInstance.local_temp(str(tmp_path), overrides=quiet) as kept:
        yield kept
