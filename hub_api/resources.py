"""What one running API holds: its database, Kafka, keys and figures; opened and closed together."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

from hub.settings import Settings
from hub.store.sealing import Vault
from hub.store.waking import Ringer
from hub_api.bodies import BodyGate
from hub_api.channels import Channels
from hub_api.details import Details
from hub_api.figures import Figures
from hub_api.following import Following
from hub_api.kafka import KafkaAwayError, KafkaSender, Position, Record, Sender
from hub_api.keyring import Keyring
from hub_api.limits import KAFKA_RETRY_AFTER_S
from hub_api.overdue import end_overdue
from hub_api.postgres import Database
from hub_api.problems import Problem
from hub_api.sessions import Sessions
from hub_api.signing import Signer
from hub_api.trials import Trials


@dataclass(slots=True)
class Resources:
    """Everything routes need besides the request."""

    settings: Settings
    database: Database
    sender: Sender
    keyring: Keyring
    sessions: Sessions
    signer: Signer
    vault: Vault
    gate: BodyGate
    figures: Figures
    channels: Channels
    details: Details
    trials: Trials
    ringer: Ringer
    following: Following

    async def send(self, records: Sequence[Record]) -> list[Position]:
        """Let Kafka have all of them; a problem that says when to send again if it is away."""
        try:
            return await self.sender.send(records)
        except KafkaAwayError as error:
            retry = {"Retry-After": str(KAFKA_RETRY_AFTER_S)}
            raise Problem("kafka-away", headers=retry) from error


@contextlib.asynccontextmanager
async def opened(
    settings: Settings, figures: Figures, sender: Sender | None
) -> AsyncIterator[Resources]:
    """Resources for as long as the app runs. Neither Postgres nor Kafka has to answer yet."""
    database = Database(settings)
    vault = Vault(settings.secret())
    resources = Resources(
        settings=settings,
        database=database,
        sender=sender or KafkaSender(settings),
        keyring=Keyring(database),
        sessions=Sessions(database, settings.derived_key("names of login")),
        signer=Signer(settings),
        vault=vault,
        gate=BodyGate(),
        figures=figures,
        channels=Channels(database, vault),
        details=Details(is_local_allowed=settings.local_receivers),
        trials=Trials(),
        ringer=Ringer(settings.dsn("writer")),
        following=Following(settings, vault),
    )
    await database.open()
    resources.ringer.start()
    tasks = [
        asyncio.create_task(resources.keyring.note_use()),
        asyncio.create_task(end_overdue(database, resources.vault, resources.ringer.ring)),
    ]
    try:
        yield resources
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await resources.following.close()
        await resources.ringer.stop()
        await resources.keyring.flush_use()
        await resources.details.close()
        await resources.sender.close()
        await database.close()


def resources_of(request: Request) -> Resources:
    """The app's resources, for a route."""
    return request.app.state.resources


Held = Annotated[Resources, Depends(resources_of)]
