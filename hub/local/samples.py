"""The two sample channels beside a running hub: a key for each, their programs, and where they are.

They end with the hub, even by `kill -9`: its guardian knows them. What they do: `samples`.
"""

import asyncio
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from hub.errors import ServiceFailedError
from hub.local import datafolder, guardian
from hub.local.process import Command, Process
from hub.settings import Settings
from hub.store import db, keys

ROOT = Path(__file__).parents[2]
KEY_VARIABLE = "SAMPLE_KEY"
READY_TIMEOUT_S = 60.0
PROBE_TIMEOUT_S = 2.0
POLL_S = 0.05
LOG_TAIL_CHARACTERS = 400
SCOPES = (
    "events:write",
    "members:read",
    "members:write",
    "orders:read",
    "stock:read",
    "coupons:read",
    "coupons:write",
    "points:write",
    "checkouts:write",
    "subscriptions:read",
    "subscriptions:write",
    "member:all_channels",
)
PROGRAMS = {"website": "website", "miniprogram": "miniprogram"}
"""program -> what the hub calls its channel, if nobody says otherwise."""


@contextmanager
def running(settings: Settings, channels: Mapping[str, str] = PROGRAMS) -> Iterator[dict[str, str]]:
    """Both programs until the end; program -> its address. channels: program -> channel. Raises
    `ServiceFailedError` if one does not come up."""
    tokens = asyncio.run(_make_keys(settings, channels))
    started: dict[str, Process] = {}
    try:
        for index, (program, channel) in enumerate(channels.items()):
            command = _command(settings, program, channel, settings.sample_port(index))
            command.env[KEY_VARIABLE] = tokens[program]
            process = Process(command, _log(settings, program))
            guardian.add(datafolder.register(settings), process.pid, command.stop_signal)
            started[program] = process
        found = addresses(settings, channels)
        for program, process in started.items():
            _wait(process, found[program], _log(settings, program))
        yield found
    finally:
        for process in started.values():
            process.stop()
        asyncio.run(_end_keys(settings, tokens))


def addresses(settings: Settings, channels: Mapping[str, str] = PROGRAMS) -> dict[str, str]:
    """program -> where it listens when it runs."""
    return {
        program: f"http://127.0.0.1:{settings.sample_port(index)}"
        for index, program in enumerate(channels)
    }


def _command(settings: Settings, program: str, channel: str, port: int) -> Command:
    hub = f"http://127.0.0.1:{settings.api_port}"
    folder = settings.data_dir / "samples"
    options = {"--hub": hub, "--channel": channel, "--port": str(port), "--folder": str(folder)}
    words = [word for option in options.items() for word in option]
    return Command((sys.executable, "-m", "samples", program, *words), cwd=ROOT)


def _log(settings: Settings, program: str) -> Path:
    return datafolder.logs(settings) / f"sample-{program}.log"


def _wait(process: Process, address: str, log: Path) -> None:
    deadline = time.monotonic() + READY_TIMEOUT_S
    while not _answers(address):
        if process.exit_code() is not None or time.monotonic() > deadline:
            said = log.read_text(errors="replace")[-LOG_TAIL_CHARACTERS:].strip()
            raise ServiceFailedError(f"{address} does not answer: {said or 'it said nothing'}")
        time.sleep(POLL_S)


def _answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(f"{address}/api/goods", timeout=PROBE_TIMEOUT_S) as answer:
            return answer.status == 200
    except (urllib.error.URLError, OSError):
        return False


async def _make_keys(settings: Settings, channels: Mapping[str, str]) -> dict[str, str]:
    connection = await db.connect(settings.dsn("writer"))
    try:
        news = {
            program: keys.NewKey(f"sample {program}", SCOPES, channel)
            for program, channel in channels.items()
        }
        return {program: await keys.create(connection, new) for program, new in news.items()}
    finally:
        await connection.close()


async def _end_keys(settings: Settings, tokens: Mapping[str, str]) -> None:
    connection = await db.connect(settings.dsn("writer"))
    try:
        for token in tokens.values():
            await keys.revoke(connection, token.partition(".")[0])
    finally:
        await connection.close()
