"""How the API refuses: one shape for every error, after RFC 9457. The words are in `hub_api.words`.

Answers never hold a stack, SQL, or what was sent; only field names and reasons.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

import orjson
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Match, Route

from hub.errors import HubError
from hub_api import words
from hub_api.limits import FAULTS_MAX, POSTGRES_RETRY_AFTER_S
from hub_api.postgres import PostgresAwayError

MEDIA_TYPE = "application/problem+json"
TYPE_PREFIX = "/problems/"
FIELD_LENGTH_MAX = 200
_TEXT = {"type": "string"}
SCHEMA = {
    "type": "object",
    "description": "Why a request was refused, after RFC 9457.",
    "properties": {
        "type": _TEXT | {"description": "`/problems/<code>`: a page that says what to do"},
        "title": _TEXT,
        "status": {"type": "integer"},
        "detail": _TEXT,
        "instance": _TEXT | {"description": "the id of the request, as in `X-Request-Id`"},
        "trace_id": _TEXT,
        "cause": _TEXT | {"description": "which of several reasons it is, as a word for programs"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "index": {"type": "integer", "description": "which event of a batch, from 0"},
                    "field": _TEXT,
                    "reason": _TEXT,
                },
                "required": ["field", "reason"],
            },
        },
    },
    "required": ["type", "title", "status", "detail", "instance", "errors"],
}
"""The shape of every refusal, as OpenAPI says it."""
_CODES_BY_STATUS = {
    400: "bad-request",
    401: "unauthorized",
    404: "not-found",
    405: "method-not-allowed",
    406: "not-acceptable",
    413: "body-too-large",
    415: "unsupported-media-type",
    422: "invalid",
}


@dataclass(frozen=True, slots=True)
class Fault:
    """One wrong thing: the field (a path such as `data.lines[0].sku`) and the reason.

    `index`: which event of a batch, from 0.
    """

    field: str
    reason: str
    index: int | None = None

    def plain(self) -> dict[str, Any]:
        place = {} if self.index is None else {"index": self.index}
        return place | {"field": self.field[:FIELD_LENGTH_MAX], "reason": self.reason}


class Problem(HubError):
    """A request is refused."""

    def __init__(
        self,
        code: str,
        errors: Sequence[Fault] = (),
        headers: Mapping[str, str] | None = None,
        **values: object,
    ) -> None:
        """`code` is one of `words.KINDS`; `values` fill the placeholders of its detail."""
        super().__init__(words.KINDS[code].en.title)
        self.code = code
        self.errors = tuple(errors)
        self.headers = dict(headers or {})
        self.values = values


@dataclass(frozen=True, slots=True)
class Asked:
    """What of a request an answer needs: its id, path and language."""

    request_id: str
    path: str
    language: words.Language = field(default="en")
    trace_id: str = ""


def asked(scope: Mapping[str, Any]) -> Asked:
    """Read it from an ASGI scope."""
    headers = dict(scope.get("headers", ()))
    language = words.preferred(headers.get(b"accept-language", b"").decode("latin-1"))
    state = scope.get("state") or {}
    path, trace_id = scope.get("path", ""), state.get("trace_id", "")
    return Asked(state.get("request_id", ""), path, language, trace_id)


def answer(problem: Problem, request: Asked) -> Response:
    """The problem as an HTTP answer in the reader's language."""
    kind = words.KINDS[problem.code]
    said = kind.words(request.language)
    body = {
        "type": TYPE_PREFIX + problem.code,
        "title": said.title,
        "status": kind.status,
        "detail": said.detail.format(**problem.values),
        "instance": f"urn:uuid:{request.request_id}",
        "trace_id": request.trace_id,
        "errors": [fault.plain() for fault in problem.errors[:FAULTS_MAX]],
    }
    if "cause" in problem.values:
        body["cause"] = problem.values["cause"]
    headers = problem.headers | {
        "Content-Language": request.language,
        "Vary": "Accept-Language",
        "Cache-Control": "no-store",
    }
    return Response(orjson.dumps(body), kind.status, headers, MEDIA_TYPE)


def install(app: FastAPI) -> None:
    """Make every refusal of the app, its routes and its framework take the one shape."""
    app.add_exception_handler(Problem, _on_problem)
    app.add_exception_handler(HTTPException, _on_http_exception)
    app.add_exception_handler(RequestValidationError, _on_validation_error)
    app.add_exception_handler(PostgresAwayError, _on_postgres_away)


async def _on_problem(request: Request, error: Exception) -> Response:
    return answer(cast(Problem, error), asked(request.scope))


async def _on_http_exception(request: Request, error: Exception) -> Response:
    raised = cast(HTTPException, error)
    code = _CODES_BY_STATUS.get(raised.status_code)
    if code is None:
        code = "internal" if raised.status_code >= 500 else "bad-request"
    kept = {
        name: value
        for name, value in (raised.headers or {}).items()
        if name.lower() in ("www-authenticate", "retry-after")
    }
    if raised.status_code == 405:
        kept["Allow"] = ", ".join(_methods(request))
    return answer(Problem(code, headers=kept, bytes=""), asked(request.scope))


def _methods(request: Request) -> list[str]:
    """What may be asked of this path: by all routes that have it, not by the first alone."""
    routes: list[BaseRoute] = []
    for one in request.app.routes:
        router = getattr(one, "original_router", None)
        routes += [one] if router is None else router.routes
    return sorted(
        {
            method
            for route in routes
            if isinstance(route, Route) and route.matches(request.scope)[0] is not Match.NONE
            for method in route.methods or ()
        }
    )


async def _on_validation_error(request: Request, error: Exception) -> Response:
    faults = [
        Fault(_path(fault["loc"]), fault["msg"])
        for fault in cast(RequestValidationError, error).errors()[:FAULTS_MAX]
    ]
    return answer(Problem("invalid", faults), asked(request.scope))


async def _on_postgres_away(request: Request, _error: Exception) -> Response:
    retry = {"Retry-After": str(POSTGRES_RETRY_AFTER_S)}
    return answer(Problem("postgres-away", headers=retry), asked(request.scope))


def _path(location: Sequence[str | int]) -> str:
    """`("body", "identifier", 0)` as `identifier[0]`: where it is without what holds it."""
    path = ""
    for part in location[1:] or location:
        path += f"[{part}]" if isinstance(part, int) else f"{'.' if path else ''}{part}"
    return path
