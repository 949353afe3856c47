"""The command line's surface."""

import importlib
import os
import sys
from contextlib import suppress

import pytest
from typer.testing import CliRunner

from hub import cli
from hub.cli import up
from hub.local.keeper import Change, State


def test_the_help_names_every_command() -> None:
    answer = CliRunner().invoke(cli.build(None), ["--help"])
    assert answer.exit_code == 0
    assert [name for name in cli.COMMANDS if name not in answer.output] == []


@pytest.mark.parametrize("name", cli.COMMANDS)
def test_every_command_explains_itself(name: str) -> None:
    answer = CliRunner().invoke(cli.build(name), [name, "--help"])
    assert answer.exit_code == 0, answer.output
    assert cli.COMMANDS[name][1] in " ".join(answer.output.split())


@pytest.mark.parametrize("name", cli.COMMANDS)
def test_every_command_has_a_module(name: str) -> None:
    module = importlib.import_module(cli.COMMANDS[name][0])
    assert hasattr(module, "run") or hasattr(module, "app")


def test_only_the_command_asked_for_is_imported() -> None:
    import subprocess

    heavy = "asyncpg,aiokafka,dagster,faust,fastapi,alembic"
    probe = (
        "import sys, hub.cli; hub.cli.build(None); "
        f"print([name for name in '{heavy}'.split(',') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("as_json", [False, True])
def test_a_hub_whose_output_nobody_reads_any_more_goes_on(
    as_json: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w", buffering=1) as closed:
        monkeypatch.setattr(sys, "stdout", closed)
        report = up.reporter(as_json)
        report(Change("kafka", State.READY))
        report(Change("api", State.READY))
        monkeypatch.undo()
        with suppress(BrokenPipeError):
            closed.close()
