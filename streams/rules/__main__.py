"""The process: a rules worker, and its health page."""

import asyncio
import contextlib
import gc
import logging
import signal
import sys

import uvloop

from hub import settings as hub_settings
from streams.rules.health import serve
from streams.rules.worker import RulesWorker

LOG_FORMAT = "%(asctime)s %(levelname)s %(name)s %(message)s"
GC_THRESHOLDS = (100_000, 50, 100)


async def main() -> None:
    """Work until SIGTERM or SIGINT."""
    settings = hub_settings.load()
    worker = RulesWorker(settings)
    await worker.open()
    # A batch is many objects and no cycles: to look for cycles often took a fourth of the time.
    gc.collect()
    gc.freeze()
    gc.set_threshold(*GC_THRESHOLDS)
    page = await serve(worker, settings.rules_port)
    asked = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, asked.set)
    work = asyncio.create_task(worker.run())
    waiting = asyncio.create_task(asked.wait())
    await asyncio.wait((work, waiting), return_when=asyncio.FIRST_COMPLETED)
    for task in (work, waiting):
        task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await work
    await page.cleanup()
    await worker.close()


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format=LOG_FORMAT, stream=sys.stderr)
    uvloop.run(main())
