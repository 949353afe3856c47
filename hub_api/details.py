"""Reads the detail of a thin push from its platform, bounded in time, size and number.

Which call it is and what of the answer counts: `hub.channels.fetching`.
"""

import asyncio

import aiohttp

from hub.channels.fetching import Call
from hub.errors import HubError
from hub_api.limits import DETAIL_BYTES_MAX, DETAIL_CALLS_MAX, DETAIL_TIMEOUT_S

OK = 200


class DetailAwayError(HubError):
    """The platform did not give the detail in time."""


class Details:
    """Makes calls on one session, at most DETAIL_CALLS_MAX at once."""

    def __init__(self) -> None:
        self._session: aiohttp.ClientSession | None = None
        self._free = asyncio.Semaphore(DETAIL_CALLS_MAX)

    async def read(self, call: Call) -> bytes:
        """The body of the answer. Raises `DetailAwayError`."""
        if self._session is None:
            self._session = aiohttp.ClientSession()
        try:
            async with asyncio.timeout(DETAIL_TIMEOUT_S), self._free:
                return await self._read(self._session, call)
        except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as error:
            raise DetailAwayError(where=type(error).__name__) from error

    async def close(self) -> None:
        """Let go of all connections."""
        if self._session is not None:
            await self._session.close()

    async def _read(self, session: aiohttp.ClientSession, call: Call) -> bytes:
        async with session.request(
            call.method,
            call.url,
            headers=call.headers,
            params=call.query,
            data=call.body,
            allow_redirects=False,
        ) as answer:
            if answer.status != OK:
                raise DetailAwayError(where=str(answer.status))
            body = bytearray()
            async for chunk in answer.content.iter_chunked(64 * 1024):
                body += chunk
                if len(body) > DETAIL_BYTES_MAX:
                    raise DetailAwayError("the detail is too large")
            return bytes(body)
