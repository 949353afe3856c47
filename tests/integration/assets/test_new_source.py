"""The data engineer's walk: each file of the guide is written, each command run, in a copy."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

from hub.settings import Settings
from hub_assets import dbt

pytestmark = pytest.mark.timeout(600)
ROOT = Path(__file__).parents[3]
GUIDE = ROOT / "docs" / "new-source.md"
COPIED = ("hub_assets", "dbt_project")
FILES = ("pyproject.toml", "workspace.yaml")
BLOCK = re.compile(
    r"(?:^`(?P<path>[^`\n]+)`\n\n)?^```(?P<kind>\w+)\n(?P<text>.*?)^```", re.M | re.S
)
TIMEOUT_S = 300


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """What the walk changes, without what tools left there."""
    left = shutil.ignore_patterns("target", "logs", "__pycache__", ".local_defs_state")
    for name in COPIED:
        shutil.copytree(ROOT / name, tmp_path / name, ignore=left)
    for name in FILES:
        shutil.copyfile(ROOT / name, tmp_path / name)
    return tmp_path


@pytest.fixture
def reviews(hub: Settings) -> Settings:
    """The new table with a row, as its migration and the workers leave it."""
    with psycopg.connect(hub.dsn("owner")) as connection:
        connection.execute(
            "create table hub.reviews (order_id uuid primary key, stars int not null,"
            " changed_xid xid8 not null default pg_current_xact_id())"
        )
        connection.execute("grant select on hub.reviews to hub_dbt")
        connection.execute("insert into hub.reviews values (gen_random_uuid(), 5)")
    return hub


def test_a_new_source_comes_to_a_mart_by_the_commands_of_the_guide(
    reviews: Settings, copy: Path
) -> None:
    home = copy / "home"
    home.mkdir()
    environment = {
        **os.environ,
        **dbt.environment(reviews),
        "DBT_PROJECT_DIR": str(copy / "dbt_project"),
        "DBT_PROFILES_DIR": str(copy / "dbt_project"),
        "PYTHONPATH": str(copy),
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
        "VIRTUAL_ENV": sys.prefix,
        "DAGSTER_HOME": str(home),
        "DAGSTER_DISABLE_TELEMETRY": "yes",
    }
    said = ""
    for block in BLOCK.finditer(GUIDE.read_text(encoding="utf-8")):
        if block["path"]:
            (copy / block["path"]).write_text(block["text"], encoding="utf-8")
            continue
        assert block["kind"] == "bash", block["text"]
        for command in block["text"].splitlines():
            done = subprocess.run(
                ["bash", "-c", command],
                cwd=copy,
                env=environment,
                capture_output=True,
                text=True,
                timeout=TIMEOUT_S,
                check=False,
            )
            said = done.stdout + done.stderr
            assert done.returncode == 0, f"{command}\n{said}"
    assert "ERROR=0" in said
    with psycopg.connect(reviews.dsn("dbt")) as connection:
        assert connection.execute("select stars from candidates.reviews").fetchall() == [(5,)]
