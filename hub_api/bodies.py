"""The bytes of a request's body, bounded in size, time and number. What they say: elsewhere."""

import asyncio
import contextlib
import zlib
from collections.abc import AsyncIterator

from starlette.requests import ClientDisconnect, Request

from hub_api.limits import BODIES_MAX, BODIES_WAIT_S, BODY_BYTES_MAX, BODY_TIMEOUT_S
from hub_api.problems import Fault, Problem

_GZIP_WINDOW = 16 + zlib.MAX_WBITS


class BodyGate:
    """Lets BODIES_MAX requests hold a body at once; the others wait a little, or are refused."""

    def __init__(self) -> None:
        self._free = asyncio.Semaphore(BODIES_MAX)

    @contextlib.asynccontextmanager
    async def place(self) -> AsyncIterator[None]:
        """A place to read a body in and to work on it."""
        try:
            await asyncio.wait_for(self._free.acquire(), BODIES_WAIT_S)
        except TimeoutError:
            raise Problem("busy", headers={"Retry-After": "1"}) from None
        try:
            yield
        finally:
            self._free.release()


async def read_body(request: Request) -> bytes:
    """The whole body, decompressed; a problem if it is too large, too slow or not as declared."""
    encoding = request.headers.get("content-encoding", "identity").strip().lower()
    if encoding not in ("identity", "gzip"):
        raise Problem("unsupported-media-type")
    declared = request.headers.get("content-length", "")
    if declared.isdecimal() and int(declared) > BODY_BYTES_MAX:
        raise too_large()
    try:
        async with asyncio.timeout(BODY_TIMEOUT_S):
            body = await _read_chunks(request)
    except TimeoutError:
        raise Problem("body-timeout", seconds=int(BODY_TIMEOUT_S)) from None
    except ClientDisconnect:
        raise Problem("bad-request", [Fault("body", "it ended too early")]) from None
    return _unzipped(body) if encoding == "gzip" else body


def too_large() -> Problem:
    """The body is above the limit."""
    # The rest of the body is not read: the connection can't be used for another request.
    return Problem("body-too-large", headers={"Connection": "close"}, bytes=BODY_BYTES_MAX)


async def _read_chunks(request: Request) -> bytes:
    chunks: list[bytes] = []
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > BODY_BYTES_MAX:
            raise too_large()
        chunks.append(chunk)
    return b"".join(chunks)


def _unzipped(body: bytes) -> bytes:
    """One gzip member, decompressed up to the limit, so that a bomb costs no more than a body."""
    stream = zlib.decompressobj(_GZIP_WINDOW)
    try:
        plain = stream.decompress(body, BODY_BYTES_MAX + 1)
    except zlib.error:
        raise Problem("bad-request", [Fault("body", "it is not gzip")]) from None
    if len(plain) > BODY_BYTES_MAX:
        raise too_large()
    if not stream.eof or stream.unused_data:
        raise Problem("bad-request", [Fault("body", "the gzip data is cut short or has a tail")])
    return plain
