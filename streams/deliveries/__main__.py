"""The process: a dispatcher, the publisher of facts beside it, and their health page."""

import asyncio
import contextlib
import logging
import signal
import sys

import uvloop

from hub import settings as hub_settings
from streams.deliveries import health
from streams.deliveries.worker import Dispatcher
from streams.facts.publisher import Publisher

LOG_FORMAT = "%(asctime)s %(levelname)s %(name)s %(message)s"


async def main() -> None:
    """Work until SIGTERM or SIGINT."""
    settings = hub_settings.load()
    dispatcher, publisher = Dispatcher(settings), Publisher(settings)
    await dispatcher.open()
    runner = await health.serve(dispatcher, publisher, settings.deliveries_port)
    asked = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, asked.set)
    tasks = [
        asyncio.create_task(dispatcher.run()),
        asyncio.create_task(publisher.run()),
        asyncio.create_task(asked.wait()),
    ]
    # Neither ends by itself: one that does ends the process, and the supervisor starts it again.
    await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in tasks:
        task.cancel()
    for task in tasks:
        with contextlib.suppress(asyncio.CancelledError):
            await task
    await runner.cleanup()
    await publisher.close()
    await dispatcher.close()


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format=LOG_FORMAT, stream=sys.stderr)
    # Each refused connection would be a line and a trace of its own; ours says it once.
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    uvloop.run(main())
