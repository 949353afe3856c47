"""The written guides and dbt's pages, as a browser gets them."""

import re

from hub_api.routes.guides import GUIDES


async def test_every_guide_is_a_page_that_needs_nothing_from_elsewhere(http) -> None:
    names = {path.stem for path in GUIDES.glob("*.md")}
    assert "data-dictionary" in names
    for name in names:
        page = await http.get(f"/guides/{name}")
        assert page.status_code == 200, name
        assert page.headers["content-type"] == "text/html; charset=utf-8"
        assert not re.search(r"<(script|link|img|iframe)", page.text), name


async def test_the_data_dictionary_leads_to_each_mart(http) -> None:
    page = (await http.get("/guides/data-dictionary")).text
    targets = re.findall(r'href="#([a-z_]+)"', page)
    assert "orders" in targets
    assert [name for name in targets if f'id="{name}"' not in page] == []


async def test_a_guide_that_does_not_exist_is_not_found(http) -> None:
    for name in ("nothing", "..%2FREADME", "data-dictionary.md"):
        assert (await http.get(f"/guides/{name}")).status_code in (404, 422), name


async def test_dbts_page_shows_what_this_hub_parsed(http, tmp_path, monkeypatch) -> None:
    held = http._transport.app.state.resources
    there = held.settings.model_copy(update={"data_dir": tmp_path})
    monkeypatch.setattr(held, "settings", there)
    assert (await http.get("/dbt")).headers["location"] == "/dbt/index.html"
    assert "<title>" in (await http.get("/dbt/index.html")).text
    assert (await http.get("/dbt/manifest.json")).status_code == 404
    (tmp_path / "dbt").mkdir()
    (tmp_path / "dbt" / "manifest.json").write_text('{"nodes": {}}')
    assert (await http.get("/dbt/manifest.json")).json() == {"nodes": {}}
    assert (await http.get("/dbt/secret.key")).status_code == 404
