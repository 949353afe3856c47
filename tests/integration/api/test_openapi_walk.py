"""The API, tried by its own OpenAPI document: what fits it, or does not, is answered as it says.

HUB_WALK_EXAMPLES sets how many requests are made up for each operation, beside those at the limits
of what each field may be.
"""

import asyncio
import os
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from hub.local import kafka
from hub.settings import Settings
from hub.store.keys import SCOPES
from tests.integration.api.conftest import ROOT, Api

CONFIG = Path(__file__).with_name("schemathesis.toml")
EXAMPLES = os.environ.get("HUB_WALK_EXAMPLES", "1")
TIMEOUT_S = 600


@pytest.fixture
async def brokers(broker: Settings) -> str:
    await asyncio.to_thread(kafka.ensure_topics, broker)
    return broker.brokers


@pytest.mark.timeout(TIMEOUT_S + 60)
async def test_the_api_answers_as_its_openapi_document_says(
    api: Api, key_for: Callable[..., Awaitable[dict[str, str]]], tmp_path: Path
) -> None:
    key = await key_for(None, *SCOPES)
    # One worker: in two threads Python 3.11 now and then loses count of its own syntax trees ("AST
    # constructor recursion depth mismatch"), which ends an operation's tests.
    process = await asyncio.create_subprocess_exec(
        *(str(Path(sys.executable).with_name("schemathesis")), "--config-file", str(CONFIG)),
        *("run", f"http://127.0.0.1:{api.port}/openapi.json", "--no-color", "--seed", "1"),
        *("--header", f"Authorization: {key['Authorization']}", "--workers", "1"),
        *("--phases", "coverage,fuzzing,stateful", "--max-examples", EXAMPLES),
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await asyncio.wait_for(process.communicate(), TIMEOUT_S)
    assert process.returncode == 0, said.decode()[:9_000]
    assert "Traceback" not in api.log.read_text()
