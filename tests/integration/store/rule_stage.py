"""Rules at work in a test: a store, the rules worker, the dispatcher and receiving channels, driven
turn by turn by one clock."""

from datetime import UTC, datetime, timedelta
from typing import Any

from msgspec.structs import replace

from hub.store import db, rules, subscriptions
from hub.store.rules import Outcome, Word
from hub.store.subscriptions import NewSubscription
from hub.testing import Database
from streams.rules.worker import RulesWorker
from tests.integration.store.delivery_stage import Receiver, Stage, web_json
from tests.integration.store.stage import Store

LIN = Word("lin", "agreed in March")


class Clock:
    """What time it is, until it is told to go on."""

    def __init__(self) -> None:
        self.ahead = timedelta()

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.ahead


class RuleStage:
    """Everything between an event and a receiver."""

    def __init__(self, store: Store, **settings: Any) -> None:
        self.store = store
        self.clock = Clock()
        self.settings = store.database.settings.model_copy(
            update={"local_receivers": True} | settings
        )
        self.worker = RulesWorker(self.settings, self.clock)
        self.dispatcher = Stage(self.settings, self.clock)

    async def open(self) -> None:
        await self.worker.open()
        await self.dispatcher.open()
        await self.go(1)

    async def close(self) -> None:
        await self.worker.close()
        await self.dispatcher.close()

    async def run_rules(self, turns: int = 4) -> None:
        """Only the rules, no deliveries."""
        for _ in range(turns):
            while await self.worker.run_facts():
                pass
            await self.worker.do_effects()
            await self.worker.doer.settle()

    async def go(self, turns: int = 6) -> None:
        """Rules and deliveries."""
        for _ in range(turns):
            await self.run_rules(2)
            await self.dispatcher.go(1)

    async def subscribe(self, to: Receiver, channel: str, *types: str) -> None:
        new = NewSubscription(channel, "test", types or ("rule.*",), to.url)
        await subscriptions.add(self.store.connection, self.store.vault, new)

    async def publish(self, text: str, word: Word = LIN) -> Outcome:
        async with self.store.connection.transaction():
            allowed = replace(word, allowed=self.settings.rule_address_list)
            return await rules.publish(self.store.connection, self.store.vault, text, allowed)

    async def runs(self, rule: str | None = None) -> list[dict[str, Any]]:
        return await self.store.rows(
            "select * from rule_runs where $1::text is null or rule = $1 order by run_id", rule
        )

    async def effects(self) -> list[dict[str, Any]]:
        return await self.store.rows("select * from rule_effects order by seq")


def bodies(receiver: Receiver) -> list[dict[str, Any]]:
    """What a receiver was told by rules, in order."""
    return [web_json(body) for body in receiver.bodies]


async def stage_on(database: Database, **settings: Any) -> RuleStage:
    """A stage on a fresh database."""
    made = RuleStage(Store(database, await db.connect(database.dsn("writer"))), **settings)
    await made.open()
    return made
