"""Pages for developers, all served from here: the API, the events, what each problem means."""

from importlib.util import find_spec
from pathlib import Path
from typing import Any

from fastapi import APIRouter
from starlette.responses import FileResponse, JSONResponse, RedirectResponse, Response

from hub.errors import SettingsError
from hub_api import asyncapi, words
from hub_api.problems import TYPE_PREFIX, Problem

router = APIRouter(include_in_schema=False)

DAY_S = 86_400
# Swagger UI sets styles on elements and draws its icons from data: addresses.
DOCS_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; connect-src 'self'; frame-ancestors 'none'"
)
ASSETS = {
    "swagger-ui-bundle.js": "text/javascript",
    "swagger-ui.css": "text/css",
    "favicon.png": "image/png",
}
DOCS_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Commerce data hub: API</title>
<link rel="icon" href="/docs/favicon.png">
<link rel="stylesheet" href="/docs/swagger-ui.css">
</head>
<body>
<div id="api"></div>
<script src="/docs/swagger-ui-bundle.js"></script>
<script src="/docs/start.js"></script>
</body>
</html>
"""
DOCS_START = """SwaggerUIBundle({
  url: "/openapi.json", dom_id: "#api", deepLinking: true, validatorUrl: null,
  presets: [SwaggerUIBundle.presets.apis], layout: "BaseLayout",
});
"""


@router.get("/")
async def home() -> Response:
    """To the page of the API."""
    return RedirectResponse("/docs", 307)


@router.get("/docs")
async def docs() -> Response:
    """The OpenAPI page, drawn by Swagger UI."""
    headers = {"Content-Security-Policy": DOCS_POLICY}
    return Response(DOCS_PAGE, 200, headers, "text/html; charset=utf-8")


@router.get("/docs/start.js")
async def docs_start() -> Response:
    """Starts Swagger UI; a file of its own, so that the page needs no inline script."""
    return Response(DOCS_START, media_type="text/javascript")


@router.get("/docs/{name}")
async def docs_asset(name: str) -> Response:
    """One of Swagger UI's files."""
    if name not in ASSETS:
        raise Problem("not-found")
    headers = {"Cache-Control": f"public, max-age={DAY_S}"}
    return FileResponse(_swagger_files() / name, headers=headers, media_type=ASSETS[name])


@router.get("/asyncapi.json")
async def asyncapi_json() -> Response:
    """What each event holds, and the topic it goes to."""
    return JSONResponse(asyncapi.document())


@router.get(TYPE_PREFIX + "{code}")
async def problem_words(code: str) -> dict[str, Any]:
    """What a problem's `type` means, in every language."""
    kind = words.KINDS.get(code)
    if kind is None:
        raise Problem("not-found")
    said = {
        language: {
            "title": kind.words(language).title,
            "detail": kind.words(language).detail,
        }
        for language in words.LANGUAGES
    }
    return {"type": TYPE_PREFIX + code, "status": kind.status, **said}


def _swagger_files() -> Path:
    """Where the environment has them; only files are used of that package, none of its code."""
    spec = find_spec("fastapi_offline")
    if spec is None or spec.origin is None:
        raise SettingsError("the environment lacks fastapi-offline", mend="make setup")
    return Path(spec.origin).parent / "static"
