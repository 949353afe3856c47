"""The console's files as `make env` built them: one page, and assets that never change."""

import secrets
from dataclasses import dataclass
from functools import lru_cache
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


# Where no registry of npm answered, the rest of the hub works; this page says what to do.
MISSING = """<!doctype html>
<html lang="zh-CN">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>控制台尚未构建 · The console is not built</title>
</head>
<body>
<h1>控制台尚未构建</h1>
<p>请在中台目录运行 <code>make env</code>,然后刷新本页。若提示无法连接 npm 源,请先设置
<code>HUB_MIRRORS="npm=URL"</code>。其他功能不受影响。</p>
<h1 lang="en">The console is not built</h1>
<p lang="en">Run <code>make env</code> in the hub's folder, then load this page again. If it says
that no registry of npm answers, name one: <code>HUB_MIRRORS="npm=URL"</code>. All else works.</p>
</body>
</html>
"""


@router.get("/console")
async def console_root() -> Response:
    """To the page itself: relative addresses in it need the slash."""
    return RedirectResponse("/console/", 307)


@router.get("/console/assets/{name}")
async def console_asset(name: str) -> Response:
    """A file of the build. Its name holds a digest of what is in it."""
    built = _built(_built_at())
    path = built.assets.get(name) if built else None
    if path is None:
        raise Problem("not-found")
    headers = {"Cache-Control": f"public, max-age={YEAR_S}, immutable"}
    return FileResponse(path, headers=headers, media_type=TYPES.get(path.suffix))


@router.get("/console/{path:path}")
async def console_page(path: str) -> Response:
    """The page, whatever is looked at in it."""
    nonce = secrets.token_urlsafe(NONCE_BYTES)
    headers = {"Content-Security-Policy": POLICY.format(nonce=nonce), "Cache-Control": "no-store"}
    built = _built(_built_at())
    if built is None:
        return Response(MISSING, 503, headers, "text/html; charset=utf-8")
    page = built.page.replace(NONCE_PLACE, nonce)
    return Response(page, 200, headers, "text/html; charset=utf-8")


@dataclass(frozen=True, slots=True)
class _Built:
    page: str
    assets: dict[str, Path]


def _built_at() -> int | None:
    """When the page was built; None if it was not."""
    try:
        return (BUILT / "index.html").stat().st_mtime_ns
    except FileNotFoundError:
        return None


@lru_cache(maxsize=1)
def _built(at: int | None) -> _Built | None:
    if at is None:
        return None
    assets = {path.name: path for path in (BUILT / "assets").glob("*") if path.is_file()}
    return _Built((BUILT / "index.html").read_text(encoding="utf-8"), assets)
