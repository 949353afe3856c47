"""The recorded statements of a command run in pgbench: the benchmark would else compare nothing."""

from pathlib import Path

import pytest

from benchmarks import commands, commands_callers, commands_pgbench
from hub.testing import Database


@pytest.mark.parametrize("kind", commands.KINDS)
async def test_the_statements_of_a_reservation_run_in_pgbench(
    database: Database, tmp_path: Path, kind: str
) -> None:
    await commands_callers.fill(database.settings)
    paths = await commands.scripts(database.settings, tmp_path)
    rate = commands_pgbench.run(
        database.settings.dsn("owner") + commands.OPTIONS, paths[kind], 1, 1
    )
    assert rate > 0
