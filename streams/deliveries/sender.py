"""Sends one delivery: signed after Standard Webhooks, bounded in time and in what it reads back.

Not here: whom, what and when (`streams.deliveries.worker`).
"""

import asyncio
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

import aiohttp
import msgspec
from aiohttp.abc import AbstractResolver
from standardwebhooks import Webhook

from hub import outward
from hub.domain.delivering import Answer
from hub.domain.targets import ForbiddenAddress, check_url
from hub.domain.telling import TRACEPARENT, text_of
from hub.store.delivery_bodies import Said

TIMEOUT_S = 15.0
"""After Standard Webhooks: 15 to 30 s."""
READ_BYTES_MAX = 1_024
CONNECTIONS_MAX = 600
"""Below the 1,024 files that a process may have open where nobody has raised it."""
ERROR_LENGTH_MAX = 200
USER_AGENT = "commerce-data-hub"


class Sender:
    """One HTTP client for all deliveries. Redirects are not followed, proxies not asked."""

    def __init__(
        self,
        *,
        is_local_allowed: bool,
        names: AbstractResolver | None = None,
        timeout_s: float = TIMEOUT_S,
    ) -> None:
        """names: what names resolve to, for tests."""
        self._is_local_allowed = is_local_allowed
        self._names = names
        self._timeout_s = timeout_s
        self._client: aiohttp.ClientSession | None = None

    async def open(self) -> None:
        """Make the client."""
        self._client = outward.client(
            is_local_allowed=self._is_local_allowed,
            timeout_s=self._timeout_s,
            connections=CONNECTIONS_MAX,
            names=self._names,
        )

    async def close(self) -> None:
        """Close all connections."""
        if self._client is not None:
            await self._client.close()

    async def send(self, url: str, secrets: tuple[str, ...], said: Said, message_id: str) -> Answer:
        """Post what is said; never raises for what a receiver or the network does."""
        assert self._client is not None, "opened first"
        body = msgspec.json.encode(said)
        try:
            check_url(url, is_local_allowed=self._is_local_allowed)
            async with self._client.post(
                url,
                data=body,
                headers=signed(body, secrets, message_id, text_of(said, TRACEPARENT)),
                allow_redirects=False,
            ) as answer:
                await answer.content.read(READ_BYTES_MAX)
                # What is left of a long answer is not read: the connection goes.
                if not answer.content.at_eof():
                    answer.close()
                return Answer(answer.status, _error(answer), _retry_after(answer))
        except ForbiddenAddress as error:
            return Answer(None, error.what[:ERROR_LENGTH_MAX])
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            return Answer(None, _reason(error, self._timeout_s))


def signed(
    body: bytes, secrets: tuple[str, ...], message_id: str, traceparent: str | None
) -> dict[str, str]:
    """The headers of a delivery, with a signature by each secret."""
    now = datetime.now(UTC)
    text = body.decode()
    signatures = " ".join(Webhook(secret).sign(message_id, now, text) for secret in secrets)
    headers = {
        "Content-Type": "application/cloudevents+json",
        "User-Agent": USER_AGENT,
        "webhook-id": message_id,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": signatures,
    }
    return headers | ({"traceparent": traceparent} if traceparent else {})


def _error(answer: aiohttp.ClientResponse) -> str | None:
    if 200 <= answer.status < 300:
        return None
    if 300 <= answer.status < 400:
        return "it redirects, and redirects are not followed"
    return f"it answered {answer.status}"


def _reason(error: Exception, timeout_s: float) -> str:
    if isinstance(error, TimeoutError | asyncio.TimeoutError):
        return f"no answer within {timeout_s:.0f} s"
    cause = error.__cause__ or error.__context__
    if isinstance(cause, ForbiddenAddress):
        return cause.what[:ERROR_LENGTH_MAX]
    return type(error).__name__


def _retry_after(answer: aiohttp.ClientResponse) -> timedelta | None:
    said = answer.headers.get("Retry-After", "")
    if said.isascii() and said.isdigit() and len(said) <= 9:
        return timedelta(seconds=int(said))
    try:
        at = parsedate_to_datetime(said)
    except (TypeError, ValueError):
        return None
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    return max(at - datetime.now(UTC), timedelta())
