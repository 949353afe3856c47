"""`hub rule` without a hub: first drafts and checks."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from hub import cli

pytestmark = pytest.mark.unit


def run(*words: str) -> tuple[int, str]:
    done = CliRunner().invoke(cli.build("rule"), ["rule", *words])
    return done.exit_code, done.output


def test_a_first_draft_comes_from_a_template_and_is_right(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run("new", "mine", "--template", "coupon-to-wallet")[0] == 0
    code, said = run("check", "mine.yaml", "--json")
    assert code == 0
    assert json.loads(said) == {"rule": "mine", "ok": True}
    assert run("new", "mine")[0] == 1


def test_a_check_names_the_place_and_what_to_do_in_both_languages(tmp_path: Path) -> None:
    file = tmp_path / "r.yaml"
    file.write_text("rule: r\ntrigger: {events: [order.placd]}\nactions: []\n")
    code, said = run("check", str(file))
    assert code == 1
    assert "line 2, column 20" in said
    assert "did you mean order.placed" in said
    assert "没有事件" in said


def test_the_command_can_be_imported_on_its_own() -> None:
    # Modules of the store import one another: what is imported first must not matter.
    for module in ("hub.cli.rules", "hub.store.rules", "hub.store.approvals"):
        subprocess.run([sys.executable, "-c", f"import {module}"], check=True, timeout=60)
