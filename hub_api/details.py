"""Asks platforms: the detail of a thin push, a voucher. Bounded in time, size, number and address.

Which call it is and what of the answer counts: `hub.channels.fetching`.
"""

import asyncio

import aiohttp

from hub import outward
from hub.channels.expressions import Unmapped
from hub.channels.fetching import Call
from hub.domain.targets import ForbiddenAddress, check_url
from hub.errors import HubError
from hub_api.limits import DETAIL_BYTES_MAX, DETAIL_CALLS_MAX, DETAIL_TIMEOUT_S

OK = 200


class DetailAwayError(HubError):
    """The platform did not give the detail in time."""


class Details:
    """Makes calls on one session, at most DETAIL_CALLS_MAX at once."""

    def __init__(self, *, is_local_allowed: bool) -> None:
        self._is_local_allowed = is_local_allowed
        self._session: aiohttp.ClientSession | None = None
        self._free = asyncio.Semaphore(DETAIL_CALLS_MAX)

    async def read(self, call: Call) -> bytes:
        """The body of the answer. Raises `DetailAwayError`, or `Unmapped` for an address to which
        nothing may be sent: asking again would not help, a setting does.
        """
        if self._session is None:
            self._session = outward.client(
                is_local_allowed=self._is_local_allowed,
                timeout_s=DETAIL_TIMEOUT_S,
                connections=DETAIL_CALLS_MAX,
            )
        try:
            check_url(call.url, is_local_allowed=self._is_local_allowed)
            async with asyncio.timeout(DETAIL_TIMEOUT_S), self._free:
                return await self._read(self._session, call)
        except ForbiddenAddress as error:
            raise Unmapped("address_forbidden", error.what, "$.settings") from error
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
