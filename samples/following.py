"""What the hub tells: a subscription of our own, its signed deliveries, and pages that see at once
what changed."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from samples.books import Books
from samples.hub_client import HubClient, HubError

TYPES = ["stock.changed", "order.*", "coupon.*", "rule.*"]
PATH = "/hub"
PAUSE_S = 1.0
ALIVE_S = 15.0
WAITING_MAX = 100
"""A page that is so far behind is let go; its browser comes again by itself."""


class Forged(Exception):
    """A delivery that the hub did not sign."""


class TooSoon(Exception):
    """A delivery that came before the answer with the secret that it is signed by."""


class Following:
    """Hears the hub for one channel. own_url: where this program is reached by the hub."""

    def __init__(self, books: Books, hub: HubClient, own_url: str) -> None:
        self._books = books
        self._hub = hub
        self._target = own_url + PATH
        self._pages: set[asyncio.Queue[str]] = set()

    async def subscribe(self) -> None:
        """Be told from now on, and once of all stock there is. Tries until the hub answers."""
        while True:
            try:
                return await self._subscribe()
            except HubError as error:
                if not error.is_passing:
                    raise
                await asyncio.sleep(PAUSE_S)

    async def _subscribe(self) -> None:
        known = self._books.noted("subscription")
        if known is not None and known["target_url"] != self._target:
            await self._end(known["subscription_id"])
            known = None
        if known is None:
            wanted = {"label": "sample", "types": TYPES, "target_url": self._target}
            made = await self._hub.command("/v1/subscriptions", wanted)
            known = made | {"target_url": self._target}
            self._books.note("subscription", known)
        await self._hub.command(f"/v1/subscriptions/{known['subscription_id']}/resync")

    async def _end(self, subscription_id: str) -> None:
        try:
            await self._hub.end(f"/v1/subscriptions/{subscription_id}")
        except HubError as error:
            if error.status != 404:
                raise

    def hear(self, body: bytes, headers: dict[str, str]) -> None:
        """Take a delivery, once. Raises `Forged`, `TooSoon`."""
        known = self._books.noted("subscription")
        if known is None:
            raise TooSoon
        try:
            event = Webhook(known["secret"]).verify(body, headers)
        except (WebhookVerificationError, ValueError) as error:
            raise Forged from error
        if self._books.hear(headers["webhook-id"], event):
            self._show(event)

    async def page(self) -> AsyncIterator[str]:
        """What a page is told, as server-sent events, until it goes."""
        queue: asyncio.Queue[str] = asyncio.Queue(WAITING_MAX)
        self._pages.add(queue)
        try:
            yield ": here\n\n"
            while queue in self._pages:
                try:
                    yield await asyncio.wait_for(queue.get(), ALIVE_S)
                except TimeoutError:
                    yield ": alive\n\n"
        finally:
            self._pages.discard(queue)

    def _show(self, event: dict[str, Any]) -> None:
        is_stock = event["type"] == "stock.changed"
        data = json.dumps(event["data"] if is_stock else {}, ensure_ascii=False)
        text = f"event: {'stock' if is_stock else 'told'}\ndata: {data}\n\n"
        for queue in list(self._pages):
            if queue.full():
                self._pages.discard(queue)
            else:
                queue.put_nowait(text)
