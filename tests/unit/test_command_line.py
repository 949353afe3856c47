"""The command line's surface."""

import importlib

import pytest
from typer.testing import CliRunner

from hub import cli


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
    import sys

    heavy = "asyncpg,aiokafka,dagster,faust,fastapi,alembic"
    probe = (
        "import sys, hub.cli; hub.cli.build(None); "
        f"print([name for name in '{heavy}'.split(',') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
