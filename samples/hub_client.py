"""The channel's line to the hub: its API, with the channel's key.

A command carries its own name, so that asking again does nothing twice.
"""

from typing import Any
from uuid import uuid4

import httpx

TIMEOUT_S = 10.0
SHOP = "sample"
BATCH = "application/cloudevents-batch+json"


class HubError(Exception):
    """The hub said no, or nothing: `status` is 0 where no answer came. `words`: what it said."""

    def __init__(self, status: int, words: str, cause: str | None = None) -> None:
        super().__init__(words)
        self.status = status
        self.words = words
        self.cause = cause

    @property
    def is_passing(self) -> bool:
        """Whether the same request may be taken later."""
        return self.status in (0, 408, 429) or self.status >= 500


class HubClient:
    """Speaks for one channel."""

    def __init__(self, url: str, channel: str, key: str) -> None:
        self.channel = channel
        headers = {"Authorization": f"Bearer {key}", "Accept-Language": "zh"}
        self._http = httpx.AsyncClient(base_url=url, headers=headers, timeout=TIMEOUT_S)

    async def close(self) -> None:
        """End the connections."""
        await self._http.aclose()

    async def ask(self, path: str, **query: str | int) -> dict[str, Any]:
        """What stands at a path. Raises `HubError`."""
        return await self._send("GET", path, params=query)

    async def look_up(self, path: str, **body: Any) -> dict[str, Any]:
        """An answer to a question with a body: it changes nothing. Raises `HubError`."""
        return await self._send("POST", path, json=body)

    async def command(
        self, path: str, body: dict[str, Any] | None = None, name: str = ""
    ) -> dict[str, Any]:
        """Have something decided, once for each name. Raises `HubError`."""
        headers = {"Idempotency-Key": name or str(uuid4())}
        return await self._send("POST", path, json=body, headers=headers)

    async def end(self, path: str) -> None:
        """Delete what stands at a path. Raises `HubError`."""
        await self._send("DELETE", path)

    async def post(self, events: list[bytes]) -> None:
        """Tell events: the hub has all of them, or none. Raises `HubError`."""
        body = b"[" + b",".join(events) + b"]"
        path = f"/v1/channels/{self.channel}/events"
        await self._send("POST", path, content=body, headers={"Content-Type": BATCH})

    async def _send(self, method: str, path: str, **more: Any) -> dict[str, Any]:
        try:
            answer = await self._http.request(method, path, **more)
        except httpx.HTTPError as error:
            raise HubError(0, f"中台没有回应({type(error).__name__}),请稍后再试") from error
        if answer.is_success:
            return answer.json() if answer.content else {}
        raise _refusal(answer)


def _refusal(answer: httpx.Response) -> HubError:
    try:
        problem = answer.json()
    except ValueError:
        problem = {}
    reasons = [f"{e.get('field') or ''} {e.get('reason') or ''}" for e in problem.get("errors", ())]
    words = "; ".join(filter(None, [problem.get("detail"), *reasons])) or answer.text[:200]
    return HubError(answer.status_code, words, problem.get("cause"))
