"""The written guides of `docs/`, the data dictionary among them, and dbt's own pages of the models.

Served from the files of this version, without anything from elsewhere.
"""

from functools import cache
from html import escape
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter
from fastapi import Path as InPath
from markdown_it import MarkdownIt
from starlette.responses import FileResponse, JSONResponse, RedirectResponse, Response

from hub.errors import SettingsError
from hub_api.problems import Problem
from hub_api.resources import Held

router = APIRouter(include_in_schema=False)

GUIDES = Path(__file__).parents[2] / "docs"
PAGE_POLICY = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"
# dbt's page is one file that holds its own script, compiles its templates, and draws with canvas.
DBT_POLICY = (
    "default-src 'none'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; "
    "style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self' data:; "
    "connect-src 'self'; frame-ancestors 'none'"
)
NO_CATALOG = {"metadata": {}, "nodes": {}, "sources": {}, "errors": None}
PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
body {{ font: 16px/1.55 system-ui, "Noto Sans CJK SC", sans-serif; color: #1c1e21;
  max-width: 1100px; margin: 0 auto; padding: 24px 16px 64px; }}
nav {{ font-size: 14px; margin-bottom: 24px; }} nav a {{ margin-right: 16px; }}
a {{ color: #0b57d0; }} h1, h2 {{ line-height: 1.25; }} h2 {{ margin-top: 2em; }}
table {{ border-collapse: collapse; display: block; overflow-x: auto; font-size: 14px; }}
th, td {{ border: 1px solid #d5d8dc; padding: 5px 9px; text-align: left; vertical-align: top; }}
th {{ background: #f3f5f7; }} code {{ font-size: 0.92em; }}
pre {{ background: #f3f5f7; padding: 12px; overflow-x: auto; border-radius: 4px; }}
</style>
</head>
<body><nav>{links}</nav>{body}</body>
</html>
"""


@router.get("/guides")
async def guides() -> Response:
    """To the first of them."""
    return RedirectResponse("/guides/data-dictionary", 307)


@router.get("/guides/{name}")
async def guide(name: Annotated[str, InPath(pattern=r"^[a-z-]{1,60}$")]) -> Response:
    """One of them as a page."""
    if name not in _names():
        raise Problem("not-found")
    headers = {"Content-Security-Policy": PAGE_POLICY}
    return Response(_page(name), 200, headers, "text/html; charset=utf-8")


@router.get("/dbt")
async def dbt_home() -> Response:
    """The page looks for its files beside itself."""
    return RedirectResponse("/dbt/index.html", 307)


@router.get("/dbt/{name}")
async def dbt_file(held: Held, name: str) -> Response:
    """dbt's page, and what it knows of the project of this hub."""
    if name == "catalog.json":
        return JSONResponse(NO_CATALOG)
    if name == "index.html":
        headers = {"Content-Security-Policy": DBT_POLICY}
        return FileResponse(_dbt_page(), headers=headers, media_type="text/html")
    manifest = held.settings.data_dir / "dbt" / "manifest.json"
    if name != "manifest.json" or not manifest.is_file():
        raise Problem("not-found")
    return FileResponse(manifest, media_type="application/json")


@cache
def _names() -> list[str]:
    return sorted(path.stem for path in GUIDES.glob("*.md"))


@cache
def _page(name: str) -> str:
    text = (GUIDES / f"{name}.md").read_text(encoding="utf-8")
    # Guides name each other as files of one folder.
    for other in _names():
        text = text.replace(f"({other}.md", f"(/guides/{other}")
    title = text.partition("\n")[0].lstrip("# ")
    links = "".join(f'<a href="/guides/{one}">{one}</a>' for one in _names())
    links += '<a href="/dbt">models (dbt)</a><a href="/docs">API</a>'
    body = MarkdownIt("commonmark").enable("table").render(text)
    # Headings are named, so that a table of contents leads to them.
    for heading in _headings(text):
        body = body.replace(
            f"<h2>{escape(heading)}</h2>", f'<h2 id="{escape(heading)}">{escape(heading)}</h2>', 1
        )
    return PAGE.format(title=escape(title), links=links, body=body)


def _headings(text: str) -> list[str]:
    return [line[3:] for line in text.splitlines() if line.startswith("## ")]


def _dbt_page() -> Path:
    """Where the environment has it; only the file is used, none of dbt's code."""
    spec = find_spec("dbt")
    for folder in spec.submodule_search_locations or () if spec is not None else ():
        page = Path(folder) / "task" / "docs" / "index.html"
        if page.is_file():
            return page
    raise SettingsError("the environment lacks dbt's page", mend="make env")
