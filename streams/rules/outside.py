"""What rules do outside of the hub, but for deliveries: write to a topic, call an allowed address.

Both may happen again after a crash, under the same id.
"""

from typing import Any

import msgspec
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from hub.domain.delivering import Answer
from hub.errors import HubError
from hub.rules.facts import Effect
from hub.settings import Settings
from streams.deliveries.sender import Sender

SEND_TIMEOUT_MS = 15_000


class NotDone(HubError):
    """What is outside did not take it."""


class Outside:
    """One producer and one HTTP client, made when they are needed first."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._producer: AIOKafkaProducer | None = None
        self._sender: Sender | None = None

    async def do(self, effect: Effect, said: dict[str, Any]) -> dict[str, Any]:
        """Do it; what came of it. Raises `NotDone`."""
        if effect.do == "publish":
            return await self._publish(effect, said)
        return await self._call(effect, said)

    async def close(self) -> None:
        """Close what was opened."""
        if self._producer is not None:
            await self._producer.stop()
        if self._sender is not None:
            await self._sender.close()

    async def _publish(self, effect: Effect, said: dict[str, Any]) -> dict[str, Any]:
        try:
            producer = await self._started()
            if effect.to not in (await producer.client.fetch_all_metadata()).topics():
                raise NotDone(f"there is no topic '{effect.to}'", mend="make it in Kafka")
            place = await producer.send_and_wait(
                effect.to, msgspec.json.encode(said), key=effect.order_key.encode()
            )
        except KafkaError as error:
            raise NotDone(f"Kafka did not take it: {type(error).__name__}") from error
        return {"topic": place.topic, "partition": place.partition, "offset": place.offset}

    async def _call(self, effect: Effect, said: dict[str, Any]) -> dict[str, Any]:
        if self._sender is None:
            self._sender = Sender(is_local_allowed=self._settings.local_receivers)
            await self._sender.open()
        answer: Answer = await self._sender.send(effect.to, (), said, effect.effect_id)
        if answer.status is None or not 200 <= answer.status < 300:
            raise NotDone(answer.error or "no answer")
        return {"status": answer.status}

    async def _started(self) -> AIOKafkaProducer:
        if self._producer is None:
            producer = AIOKafkaProducer(
                bootstrap_servers=self._settings.brokers,
                enable_idempotence=True,
                acks="all",
                request_timeout_ms=SEND_TIMEOUT_MS,
            )
            await producer.start()
            self._producer = producer
        return self._producer
