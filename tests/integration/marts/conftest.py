"""A warehouse for each test: the hub's tables in a fresh database, and dbt in this process."""

from pathlib import Path

import pytest
from dbt.contracts.graph.manifest import Manifest

from hub.testing import Database
from hub_assets import testing


@pytest.fixture(scope="session")
def dbt_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where dbt writes in this run."""
    return tmp_path_factory.mktemp("dbt")


@pytest.fixture(scope="session")
def manifest(dbt_folder: Path) -> Manifest:
    """The project, parsed once for all tests."""
    return testing.parse(dbt_folder)


@pytest.fixture
def warehouse(database: Database, manifest: Manifest, dbt_folder: Path) -> testing.Warehouse:
    """An empty warehouse."""
    return testing.Warehouse(database.settings, manifest, dbt_folder)
