"""The console's files as `make env` built them: one page, and assets that never change."""

import secrets
from functools import cache
from pathlib import Path

from fastapi import APIRouter
from starlette.responses import FileResponse, RedirectResponse, Response

import hub_api
from hub_api.problems import Problem

router = APIRouter(include_in_schema=False)

BUILT = Path(hub_api.__file__).parent.parent / "console" / "dist"
YEAR_S = 31_536_000
NONCE_BYTES = 16
NONCE_PLACE = "__NONCE__"
# Styles are made by scripts at run time: only those that know the page's nonce.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'nonce-{nonce}'; "
    "style-src-attr 'unsafe-inline'; img-src 'self' data:; font-src 'self'; connect-src 'self'; "
    "manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
TYPES = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}


@router.get("/console")
async def console_root() -> Response:
    """To the page itself: relative addresses in it need the slash."""
    return RedirectResponse("/console/", 307)


@router.get("/console/assets/{name}")
async def console_asset(name: str) -> Response:
    """A file of the build. Its name holds a digest of what is in it."""
    path = _assets().get(name)
    if path is None:
        raise Problem("not-found")
    headers = {"Cache-Control": f"public, max-age={YEAR_S}, immutable"}
    return FileResponse(path, headers=headers, media_type=TYPES.get(path.suffix))


@router.get("/console/{path:path}")
async def console_page(path: str) -> Response:
    """The page, whatever is looked at in it."""
    page = _page()
    if page is None:
        raise Problem("console-missing")
    nonce = secrets.token_urlsafe(NONCE_BYTES)
    headers = {"Content-Security-Policy": POLICY.format(nonce=nonce)}
    return Response(page.replace(NONCE_PLACE, nonce), 200, headers, "text/html; charset=utf-8")


@cache
def _assets() -> dict[str, Path]:
    return {path.name: path for path in (BUILT / "assets").glob("*") if path.is_file()}


@cache
def _page() -> str | None:
    path = BUILT / "index.html"
    return path.read_text(encoding="utf-8") if path.is_file() else None
