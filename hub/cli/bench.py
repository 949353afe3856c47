"""`hub bench WHAT`: runs `benchmarks/<what>.py`, whose last line is one object of JSON."""

import importlib.util
import subprocess
import sys
from pathlib import Path
from typing import Annotated

import typer

from hub.cli.screen import Json, errors_in_words
from hub.errors import HubError

ROOT = Path(__file__).parents[2]


class UnknownBenchmarkError(HubError):
    """There is no benchmark of this name."""


def run(
    what: Annotated[str, typer.Argument(help="What to measure, for example streams.")],
    as_json: Json = False,
) -> None:
    """Measure one part. Progress goes to stderr; the last line is JSON either way."""
    with errors_in_words(as_json):
        module = f"benchmarks.{what.replace('-', '_')}"
        if not what.replace("-", "_").isidentifier() or not _exists(module):
            raise UnknownBenchmarkError(what, mend=f"one of: {', '.join(names())}")
    arguments = ["--json"] if as_json else []
    done = subprocess.run([sys.executable, "-m", module, *arguments], cwd=ROOT, check=False)
    raise typer.Exit(done.returncode)


def names() -> list[str]:
    """The benchmarks: modules with a `main`, without those they share."""
    files = sorted((ROOT / "benchmarks").glob("*.py"))
    return [f.stem for f in files if "def main(" in f.read_text(encoding="utf-8")]


def _exists(module: str) -> bool:
    return module.rpartition(".")[2] in names() and importlib.util.find_spec(module) is not None
