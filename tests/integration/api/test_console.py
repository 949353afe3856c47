"""The console's files as the API serves them."""

import re
from pathlib import Path

import httpx
import pytest

from hub_api.routes import console

needs_built = pytest.mark.skipif(
    not (console.BUILT / "index.html").is_file(), reason="the console is not built: make env"
)


async def test_a_console_that_was_not_built_says_how_to_build_it(
    http: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(console, "BUILT", tmp_path)
    page = await http.get("/console/members/1")
    assert page.status_code == 503
    assert "make env" in page.text
    assert "控制台尚未构建" in page.text
    assert "Content-Security-Policy" in page.headers
    assert (await http.get("/console/assets/index.js")).status_code == 404


@needs_built
async def test_the_page_is_served_at_every_address_of_the_console(http: httpx.AsyncClient) -> None:
    assert (await http.get("/console")).headers["location"] == "/console/"
    for path in ("/console/", "/console/members/1", "/console/..%2f..%2fpyproject.toml"):
        page = await http.get(path)
        assert page.status_code == 200
        assert '<div id="console">' in page.text
        assert page.headers["cache-control"] == "no-store"


@needs_built
async def test_the_page_allows_only_what_comes_from_here(http: httpx.AsyncClient) -> None:
    first, second = [await http.get("/console/") for _ in range(2)]
    policy = first.headers["content-security-policy"]
    nonces = [re.search(r"'nonce-([\w-]{20,})'", p.headers["content-security-policy"])
              for p in (first, second)]  # fmt: skip
    assert nonces[0] is not None
    assert nonces[1] is not None
    assert nonces[0][1] != nonces[1][1]
    assert f'nonce="{nonces[0][1]}"' in first.text
    assert "__NONCE__" not in first.text
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    assert rules["default-src"] == "'none'"
    assert rules["script-src"] == "'self'"
    assert "unsafe-inline" not in rules["style-src"]
    assert rules["frame-ancestors"] == "'none'"


@needs_built
async def test_assets_are_kept_for_good_and_nothing_else_is_served(
    http: httpx.AsyncClient,
) -> None:
    page = (await http.get("/console/")).text
    for address in re.findall(r'(?:src|href)="(/console/assets/[^"]+)"', page):
        asset = await http.get(address)
        assert asset.status_code == 200
        assert "immutable" in asset.headers["cache-control"]
        assert asset.headers["x-content-type-options"] == "nosniff"
    for path in ("none.js", "..%2findex.html", "%2e%2e/.vite/manifest.json", ".made-from"):
        assert (await http.get(f"/console/assets/{path}")).status_code in (404, 200)
        assert "made-from" not in (await http.get(f"/console/assets/{path}")).text
