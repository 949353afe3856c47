"""Dagster's own checks of the project, each as its command line runs them."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from hub.settings import Settings
from hub_assets import project

ROOT = Path(__file__).parents[3]
TIMEOUT_S = 240


def run(hub: Settings, program: str, *arguments: str) -> str:
    """Run a program of the environment; what it printed. Fails where it fails."""
    home = hub.data_dir / "dagster-home"
    home.mkdir(parents=True, exist_ok=True)
    done = subprocess.run(
        [Path(sys.executable).with_name(program), *arguments],
        cwd=ROOT,
        env=os.environ
        | {
            "DAGSTER_HOME": str(home),
            "DAGSTER_DISABLE_TELEMETRY": "yes",
            "VIRTUAL_ENV": str(Path(sys.prefix)),
        },
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.fixture
def parsed(hub: Settings) -> Settings:
    """The dbt project parsed, as set-up leaves it."""
    project.prepare(hub)
    return hub


@pytest.mark.parametrize("what", ["yaml", "toml"])
def test_dg_finds_no_fault_in_the_files(hub: Settings, what: str) -> None:
    assert "valid" in run(hub, "dg", "check", what)


def test_dg_finds_no_fault_in_the_definitions(parsed: Settings) -> None:
    assert "successfully" in run(parsed, "dg", "check", "defs")


def test_dagster_can_load_the_code_location(parsed: Settings) -> None:
    assert "successful" in run(parsed, "dagster", "definitions", "validate").lower()


def test_dg_lists_the_components(hub: Settings) -> None:
    listed = run(hub, "dg", "list", "components", "--json")
    for name in ("AlertRoutes", "Channels", "Reconciliation", "StreamTable"):
        assert f"hub_assets.components.{name}" in listed
