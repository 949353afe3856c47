"""The delivery worker as a process, to be asked, killed and started again."""

import asyncio
import contextlib
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import aiohttp

from hub.settings import Settings

DEADLINE_S = 60.0


class DeliveryProcess:
    """What it says goes to `log`."""

    def __init__(self, settings: Settings, log: Path) -> None:
        self.settings, self.log = settings, log
        self._popen: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, anew if it has ended."""
        if self._popen is not None:
            self._popen.wait(10)
        with self.log.open("ab") as output:
            self._popen = subprocess.Popen(
                [sys.executable, "-m", "streams.deliveries"],
                env=os.environ | self.settings.environment(),
                stdout=output,
                stderr=output,
            )

    def kill(self) -> None:
        """SIGKILL, wherever it is."""
        if self._popen is not None:
            self._popen.kill()
            self._popen.wait(10)

    @property
    def pid(self) -> int:
        assert self._popen is not None
        return self._popen.pid

    async def health(self) -> dict[str, Any] | None:
        """What its page says; None while it does not answer."""
        url = f"http://127.0.0.1:{self.settings.deliveries_port}/healthz"
        with contextlib.suppress(aiohttp.ClientError):
            async with aiohttp.ClientSession() as session, session.get(url) as answer:
                return await answer.json()
        return None

    async def wait_until(self, is_so: Any) -> None:
        """Wait until its page says so."""
        deadline = time.monotonic() + DEADLINE_S
        while True:
            said = await self.health()
            if said is not None and is_so(said):
                return
            assert time.monotonic() < deadline, self.log.read_text()[-2000:]
            await asyncio.sleep(0.02)
