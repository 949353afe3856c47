"""The written guides and dbt's pages, as a browser gets them."""

import re
from pathlib import Path

from hub_api.routes.guides import GUIDES


async def test_every_guide_is_a_page_that_needs_nothing_from_elsewhere(http) -> None:
    names = {path.stem for path in GUIDES.glob("*.md")}
    assert "data-dictionary" in names
    for name in names:
        page = await http.get(f"/guides/{name}")
        assert page.status_code == 200, name
        assert page.headers["content-type"] == "text/html; charset=utf-8"
        assert not re.search(r"(src|href)=\"(https?:)?//(?!127\.0\.0\.1)", page.text), name


async def test_the_data_dictionary_leads_to_each_mart(http) -> None:
    page = (await http.get("/guides/data-dictionary")).text
    targets = re.findall(r'href="#([a-z_]+)"', page)
    assert "orders" in targets
    assert [name for name in targets if f'id="{name}"' not in page] == []


async def test_a_guide_that_does_not_exist_is_not_found(http) -> None:
    for name in ("nothing", "..%2FREADME", "data-dictionary.md"):
        assert (await http.get(f"/guides/{name}")).status_code in (404, 422), name


async def test_dbts_page_shows_what_this_hub_parsed(http, database) -> None:
    assert (await http.get("/dbt")).headers["location"] == "/dbt/index.html"
    assert "<title>" in (await http.get("/dbt/index.html")).text
    assert (await http.get("/dbt/manifest.json")).status_code == 404
    folder = Path(database.settings.data_dir) / "dbt"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "manifest.json").write_text('{"nodes": {}}')
    try:
        assert (await http.get("/dbt/manifest.json")).json() == {"nodes": {}}
    finally:
        (folder / "manifest.json").unlink()
    assert (await http.get("/dbt/secret.key")).status_code == 404
