"""Trying rules in a process apart: a few at once, each bounded in memory and time."""

import asyncio
import sys
from typing import Any

import msgspec

from hub.rules import apart
from hub_api.problems import Problem

AT_ONCE_MAX = 2
TIMEOUT_S = 60.0
"""Twice what the process may compute: the machine may be busy."""


class Trials:
    """The places for trials of one API process."""

    def __init__(self) -> None:
        self._places = asyncio.Semaphore(AT_ONCE_MAX)

    async def run(self, wanted: apart.Wanted) -> Any:
        """What came of a trial; a problem if it took more than it may."""
        async with self._places:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", apart.__name__),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.DEVNULL,
            )
            try:
                said, _ = await asyncio.wait_for(
                    process.communicate(msgspec.json.encode(wanted)), TIMEOUT_S
                )
            except TimeoutError:
                said = b""
            finally:
                if process.returncode is None:
                    process.kill()
                    await process.wait()
        if process.returncode != 0 or not said:
            reason = "the rule took more memory or time than a trial may: try fewer events"
            raise Problem("refused", reason=reason, cause="trial_too_large")
        return msgspec.json.decode(said)
