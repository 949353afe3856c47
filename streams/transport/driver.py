"""The Faust transport: the aiokafka driver's, with the batch consumer in it.

Not here: the consumer itself (`streams.transport.consumer`).
"""

from typing import ClassVar

from faust.transport.drivers import aiokafka as faust_driver
from faust.types import AppT
from faust.types.transports import ConsumerT

from streams.transport.batch import BatchHandler
from streams.transport.config import StreamConfig
from streams.transport.consumer import BatchConsumer
from streams.transport.pace import Pace
from streams.transport.state import TransportState


class BatchTransport(faust_driver.Transport):
    """Brings the handler and the configuration to the consumer it makes."""

    Consumer: ClassVar[type[ConsumerT]] = BatchConsumer

    def __init__(
        self, app: AppT, config: StreamConfig, handler: BatchHandler, state: TransportState
    ) -> None:
        """Set it as `app.transport` before the app starts."""
        super().__init__(app.conf.broker_consumer, app)
        self.config = config
        self.handler = handler
        self.state = state

    def new_pace(self) -> Pace:
        """The linger of this worker."""
        return Pace(self.config.linger_ms / 1000)
