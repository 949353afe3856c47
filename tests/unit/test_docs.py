"""What the documents say is so: links lead somewhere, commands and settings exist."""

import re
from pathlib import Path

import pytest

from hub.cli import COMMANDS
from hub.settings import Settings, load
from hub.store.check import INVARIANTS
from hub.store.keys import SCOPES
from hub_api.app import create_app
from hub_api.words import KINDS

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])
LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")
READMES = ("README.md", "README.zh.md")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_to_a_file_leads_somewhere(page: Path) -> None:
    targets = [link for link in LINK.findall(page.read_text("utf-8")) if "://" not in link]
    missing = [link for link in targets if not (page.parent / link).exists()]
    assert missing == []


@pytest.mark.parametrize("name", READMES)
def test_every_setting_is_in_the_readme_and_no_other(name: str) -> None:
    text = (ROOT / name).read_text("utf-8")
    named = set(re.findall(r"HUB_[A-Z_]+", text))
    assert named == {f"HUB_{field.upper()}" for field in Settings.model_fields}


@pytest.mark.parametrize("name", READMES)
def test_every_command_is_in_the_readme_and_no_other(name: str) -> None:
    text = (ROOT / name).read_text("utf-8")
    named = set(re.findall(r"`hub ([a-z-]+)", text))
    assert named == set(COMMANDS)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_make_target_in_a_document_exists(page: Path) -> None:
    makefile = (ROOT / "Makefile").read_text("utf-8")
    targets = set(re.findall(r"^([a-z]+):", makefile, re.MULTILINE))
    text = page.read_text("utf-8")
    named = set(re.findall(r"(?:^|`)make ([a-z]+)", text, re.MULTILINE))
    assert named <= targets


def test_every_route_and_scope_is_in_the_guide_to_the_api(tmp_path: Path) -> None:
    guide = (ROOT / "docs" / "api.md").read_text("utf-8")
    paths = create_app(load(data_dir=tmp_path)).openapi()["paths"]
    routes = {f"{method.upper()} {path}" for path, ways in paths.items() for method in ways}
    of_the_process = {"GET /healthz", "GET /readyz", "GET /metrics"}
    assert sorted(route for route in routes - of_the_process if route not in guide) == []
    assert [scope for scope in SCOPES if f"`{scope}`" not in guide] == []


def test_every_refusal_is_in_the_guide_to_the_api() -> None:
    guide = (ROOT / "docs" / "api.md").read_text("utf-8")
    assert sorted(code for code in KINDS if f"`{code}`" not in guide) == []


def test_the_files_that_architecture_names_exist() -> None:
    text = (ROOT / "ARCHITECTURE.md").read_text("utf-8")
    paths = re.findall(r"`((?:hub|streams|hub_api|hub_assets|dbt_project)/[\w/.]+)`", text)
    assert paths
    assert [path for path in paths if not (ROOT / path).exists()] == []


def test_what_proves_an_invariant_by_a_test_exists() -> None:
    proofs = [invariant.proved_by for invariant in INVARIANTS if invariant.proof == "test"]
    assert proofs
    assert [path for path in proofs if not (ROOT / path).exists()] == []


def test_every_test_that_is_named_as_a_proof_exists() -> None:
    named = set(re.findall(r"`(test_\w+)`", (ROOT / "docs" / "proofs.md").read_text("utf-8")))
    made = {
        name
        for file in (ROOT / "tests").rglob("test_*.py")
        for name in re.findall(r"def (test_\w+)", file.read_text("utf-8"))
    }
    assert len(named) > 60
    assert named - made == set()
