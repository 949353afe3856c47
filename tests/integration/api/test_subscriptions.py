"""Subscribing over the API: secrets are shown once, and nobody sees another channel's."""

from collections.abc import Awaitable, Callable

import httpx

KeyFor = Callable[..., Awaitable[dict[str, str]]]
WANTED = {"label": "stock", "types": ["stock.changed"], "target_url": "https://shop.example/hook"}
SCOPES = ("subscriptions:read", "subscriptions:write")


async def caller(http: httpx.AsyncClient, key_for: KeyFor, channel: str) -> httpx.AsyncClient:
    """The app's client with a key of this channel."""
    headers = await key_for(channel, *SCOPES)
    return httpx.AsyncClient(transport=http._transport, base_url="http://hub", headers=headers)


async def subscribed(client: httpx.AsyncClient, **more: object) -> httpx.Response:
    return await client.post("/v1/subscriptions", json=WANTED | more)


async def test_a_subscription_is_made_shown_paused_and_ended(
    http: httpx.AsyncClient, key_for: KeyFor
) -> None:
    client = await caller(http, key_for, "web")
    made = await subscribed(client)
    assert made.status_code == 201
    assert made.json()["secret"].startswith("whsec_")
    path = f"/v1/subscriptions/{made.json()['subscription_id']}"
    shown = (await client.get("/v1/subscriptions")).json()["items"]
    assert [(one["state"], one["types"]) for one in shown] == [("active", ["stock.changed"])]
    assert "whsec_" not in (await client.get("/v1/subscriptions")).text
    paused = await client.patch(path, json={"state": "paused"})
    assert paused.json()["state"] == "paused"
    rotated = await client.post(f"{path}/rotate")
    assert rotated.json()["secret"] != made.json()["secret"]
    assert (await client.delete(path)).status_code == 204
    assert (await client.get(path)).status_code == 404


async def test_another_channels_subscription_does_not_exist(
    http: httpx.AsyncClient, key_for: KeyFor
) -> None:
    mine = await caller(http, key_for, "web")
    other = await caller(http, key_for, "mini-program")
    path = f"/v1/subscriptions/{(await subscribed(mine)).json()['subscription_id']}"
    assert (await other.get(path)).status_code == 404
    assert (await other.delete(path)).status_code == 404
    assert (await other.post(f"{path}/rotate")).status_code == 404
    assert (await other.get("/v1/subscriptions")).json()["items"] == []
    assert (await other.get("/v1/deliveries")).json()["items"] == []


async def test_a_target_inside_is_refused_with_its_field(
    http: httpx.AsyncClient, key_for: KeyFor
) -> None:
    client = await caller(http, key_for, "web")
    for target in ("http://shop.example/", "https://127.0.0.1/", "https://169.254.169.254/latest"):
        refused = await subscribed(client, target_url=target)
        assert refused.status_code == 422
        assert refused.json()["errors"][0]["field"] == "target_url"


async def test_a_channel_has_so_many_subscriptions_at_most(
    http: httpx.AsyncClient, key_for: KeyFor
) -> None:
    client = await caller(http, key_for, "web")
    for _ in range(100):
        assert (await subscribed(client)).status_code == 201
    assert (await subscribed(client)).status_code == 409


async def test_a_replay_of_a_time_that_ends_before_it_begins_is_refused(
    http: httpx.AsyncClient, key_for: KeyFor
) -> None:
    client = await caller(http, key_for, "web")
    path = f"/v1/subscriptions/{(await subscribed(client)).json()['subscription_id']}/replay"
    span = {"since": "2025-03-02T00:00:00Z", "until": "2025-03-01T00:00:00Z"}
    assert (await client.post(path, json=span)).status_code == 422
    span = {"since": "2025-03-01T00:00:00Z", "until": "2025-03-02T00:00:00Z"}
    assert (await client.post(path, json=span)).json() == {"deliveries": 0}
