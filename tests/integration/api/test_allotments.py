"""Stock is split between channels over HTTP, by keys of the house only."""

from typing import Any

import pytest

from hub.store import apply
from hub.store.sealing import Vault
from tests.event_maker import Shop, at, record


@pytest.fixture(autouse=True)
async def ten_cakes(writer, database) -> None:
    data = {"sku": "cake", "place": "s1", "quantity": "10", "measured_at": at(0).isoformat()}
    body = Shop("website", "main").body("stock.counted", 0, **data)
    async with writer.transaction():
        await apply.apply(writer, Vault(database.settings.secret()), [record(body)], "cluster")


def wanted(**quantities: str) -> dict[str, Any]:
    named = {"sku": "cake", "place": "s1"}
    items = [named | {"channel": c, "quantity": q} for c, q in quantities.items()]
    return {"items": items}


async def split(http, headers: dict[str, str], body: dict[str, Any], name: str = "first") -> Any:
    headers = headers | {"Idempotency-Key": name}
    return await http.post("/v1/allotments", json=body, headers=headers)


async def test_what_is_kept_is_shown_to_its_channel_and_how_much_to_all(http, key_for) -> None:
    house = await key_for(None, "allotments:write", "stock:read")
    assert (await split(http, house, wanted(tmall="6", website="1.5"))).status_code == 201
    for channel, seen in ((None, ["tmall", "website"]), ("website", ["website"])):
        reader = await key_for(channel, "stock:read")
        shown = (await http.get("/v1/stock/cake", headers=reader)).json()["items"][0]
        assert (shown["available"], shown["allotted"]) == ("10", "7.5")
        assert [one["channel"] for one in shown["allotments"]] == seen


async def test_more_than_is_available_is_refused_with_what_is_short(http, key_for) -> None:
    house = await key_for(None, "allotments:write")
    refused = await split(http, house, wanted(tmall="6", website="5"))
    assert refused.status_code == 409
    assert {"field": "short", "reason": "1.000"} in refused.json()["errors"]


async def test_a_quantity_that_is_none_is_refused_with_its_field(http, key_for) -> None:
    house = await key_for(None, "allotments:write")
    for quantity in ("-1", "1.0001", "many"):
        refused = await split(http, house, wanted(tmall=quantity))
        assert refused.status_code == 422
        assert refused.json()["errors"][0]["field"] == "items[0].quantity"


async def test_a_channels_own_key_cannot_split_stock(http, key_for) -> None:
    own = await key_for("website", "allotments:write")
    assert (await split(http, own, wanted(website="5"))).status_code == 403
