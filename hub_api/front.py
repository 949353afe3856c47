"""What every request passes: an id, bounds, a time limit, headers for safety, figures and one log
line. The innermost net for failures, too: no stack leaves the hub, none of its values enters a log.
"""

import asyncio
import os
import time
import traceback
import uuid
from collections.abc import Callable
from typing import Any

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from hub.domain import tracing
from hub_api.figures import Figures
from hub_api.limits import (
    HEADER_BYTES_MAX,
    HEADERS_MAX,
    REQUEST_TIMEOUT_S,
    TARGET_BYTES_MAX,
)
from hub_api.problems import Fault, Problem, answer, asked

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
UNMATCHED = "unmatched"
RANDOM_BYTES = tracing.TRACE_BYTES + tracing.SPAN_BYTES
# Outermost frames say nothing; these are enough to find the line.
FRAMES_LOGGED = 12
SAFETY = {
    b"x-content-type-options": b"nosniff",
    b"x-frame-options": b"DENY",
    b"referrer-policy": b"no-referrer",
    b"cross-origin-resource-policy": b"same-origin",
    b"content-security-policy": b"default-src 'none'; frame-ancestors 'none'",
    b"cache-control": b"no-store",
}
_log = structlog.get_logger("hub_api.access")


class Front:
    """ASGI middleware around the whole app."""

    def __init__(
        self, app: ASGIApp, figures: Figures, timeout_s: float = REQUEST_TIMEOUT_S
    ) -> None:
        self._app = app
        self._figures = figures
        self._timeout_s = timeout_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = str(uuid.uuid4())
        traceparent = tracing.entered(_traceparent(scope), os.urandom(RANDOM_BYTES))
        trace_id = tracing.trace_id(traceparent) or ""
        state = scope.setdefault("state", {})
        state["request_id"], state["trace_id"] = request_id, trace_id
        tracing.current.set(traceparent)
        outgoing = _Outgoing(send, request_id, trace_id)
        started = time.perf_counter()
        self._figures.running.inc()
        try:
            await self._pass(scope, receive, outgoing)
        finally:
            self._figures.running.dec()
            self._note(scope, outgoing.status, time.perf_counter() - started)

    async def _pass(self, scope: Scope, receive: Receive, outgoing: "_Outgoing") -> None:
        problem = _out_of_bounds(scope)
        if problem is None:
            try:
                async with asyncio.timeout(self._timeout_s) as limit:
                    outgoing.on_stream = lambda: limit.reschedule(None)
                    await self._app(scope, receive, outgoing.send)
                return
            except TimeoutError as error:
                _log.warning("time_limit", **_where(scope, error))
                problem = Problem("time-limit", seconds=int(self._timeout_s))
            except Exception as error:  # noqa: BLE001 - the last net: whatever it is, it is answered
                _log.error("request_failed", **_where(scope, error))
                problem = Problem("internal")
        if not outgoing.status:
            await answer(problem, asked(scope))(scope, receive, outgoing.send)

    def _note(self, scope: Scope, status: int, seconds: float) -> None:
        route = _route(scope)
        method = scope["method"] if scope["method"] in METHODS else "other"
        self._figures.requests.labels(method, route, str(status)).inc()
        self._figures.seconds.labels(route).observe(seconds)
        _log.info(
            "request",
            method=method,
            route=route,
            status=status,
            ms=round(seconds * 1000, 1),
            request_id=scope["state"]["request_id"],
            trace_id=scope["state"]["trace_id"],
            key=scope["state"].get("key_prefix"),
        )


class _Outgoing:
    """The way out: adds headers to the answer and remembers its status (0: not started)."""

    def __init__(self, send: Send, request_id: str, trace_id: str) -> None:
        self._send = send
        self._ids = ((b"x-request-id", request_id.encode()), (b"x-trace-id", trace_id.encode()))
        self.status = 0
        # Called when the answer turns out to be a stream, which has no end to wait for.
        self.on_stream: Callable[[], None] = lambda: None

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            present = {name.lower() for name, _ in message.get("headers", ())}
            added = [(name, value) for name, value in SAFETY.items() if name not in present]
            added += self._ids
            if _is_stream(message):
                self.on_stream()
            message["headers"] = [*message.get("headers", ()), *added]
        await self._send(message)


def _traceparent(scope: Scope) -> str | None:
    """As it was sent, if it was sent once."""
    sent = [value for name, value in scope["headers"] if name == b"traceparent"]
    return sent[0].decode("latin-1") if len(sent) == 1 else None


def _is_stream(start: Message) -> bool:
    return any(
        name.lower() == b"content-type" and value.startswith(b"text/event-stream")
        for name, value in start.get("headers", ())
    )


def _out_of_bounds(scope: Scope) -> Problem | None:
    headers = scope["headers"]
    size = sum(len(name) + len(value) for name, value in headers)
    if len(headers) > HEADERS_MAX or size > HEADER_BYTES_MAX:
        return Problem("headers-too-large", count=HEADERS_MAX, bytes=HEADER_BYTES_MAX)
    target = len(scope.get("raw_path") or scope["path"]) + len(scope.get("query_string", b""))
    if target > TARGET_BYTES_MAX:
        return Problem("target-too-long", bytes=TARGET_BYTES_MAX)
    if "\x00" in scope["path"] or b"%00" in scope.get("query_string", b""):
        # Postgres has no such character, so nothing can be called so.
        return Problem("bad-request", [Fault("path", "it holds NUL")])
    return None


def _route(scope: Scope) -> str:
    """The template of the route that answered: it holds no value of a request."""
    return getattr(scope.get("route"), "path", UNMATCHED)


def _where(scope: Scope, error: BaseException) -> dict[str, Any]:
    """What failed and where in the code; the message is left out, since it may hold values."""
    frames = traceback.extract_tb(error.__traceback__)[-FRAMES_LOGGED:]
    return {
        "error": type(error).__name__,
        "route": _route(scope),
        "request_id": scope["state"]["request_id"],
        "trace_id": scope["state"]["trace_id"],
        "frames": [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames],
    }
