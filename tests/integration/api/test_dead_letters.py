"""Dead letters over HTTP: listed, shown to who may see them, sent again as they came."""

from typing import Any

import pytest

from hub.domain import topics
from hub.store import apply, audit, dead_letters
from hub.store.sealing import Vault
from tests.event_maker import Shop, record

POISON = b'{"id": "\xff", "phone": "13912345678"}'
HEADERS = [("ce-kind", b"x")]


@pytest.fixture
async def house(key_for) -> dict[str, str]:
    return await key_for(None, "dead_letters:read", "dead_letters:write")


@pytest.fixture
async def letters(writer, database) -> list[str]:
    """Three records that could not be taken."""
    vault = Vault(database.settings.secret())
    bad = [
        record(POISON, topic=topics.ORDERS, key=b"k", headers=HEADERS),
        record(Shop("web").body("order.exploded", 1), topic=topics.ORDERS, key=b"W1"),
        record(b"{}", topic=topics.MEMBERS),
    ]
    for one in bad:
        async with writer.transaction():
            await apply.apply(writer, vault, [one], "cluster")
    return [one["dead_letter_id"] for one in await dead_letters.page(writer)]


async def get(http, headers: dict[str, str], path: str = "", **query: Any) -> Any:
    return await http.get(f"/v1/dead-letters{path}", headers=headers, params=query)


async def test_they_are_listed_in_pages_without_their_bytes(http, house, letters) -> None:
    first = (await get(http, house, limit=2)).json()
    rest = (await get(http, house, limit=2, cursor=first["next_cursor"])).json()
    assert [one["dead_letter_id"] for one in first["items"] + rest["items"]] == letters
    assert rest["next_cursor"] is None
    assert first["items"][0]["body_bytes"] > len(POISON)
    assert "13912345678" not in str(first)
    assert first["items"][1]["reason_code"] == "type_unknown"
    foreign = await get(http, house, cursor=first["next_cursor"], state="redriven")
    assert foreign.status_code == 400


async def test_bytes_are_shown_where_asked_for_to_who_may_see_them(
    http, house, letters, key_for, writer
) -> None:
    assert (await get(http, house, f"/{letters[0]}")).json()["body"] is None
    assert (await get(http, house, f"/{letters[0]}", reveal="true")).status_code == 403
    assert await audit.page(writer) == []
    seeing = await key_for(None, "dead_letters:read", "members:personal")
    shown = (await get(http, seeing, f"/{letters[1]}", reveal="true")).json()
    assert '"order.exploded"' in shown["body"]
    poison = (await get(http, seeing, f"/{letters[0]}", reveal="true")).json()
    assert (poison["body"], poison["body_base64"][:8]) == (None, "eyJpZCI6")
    entry, _ = await audit.page(writer)
    assert entry.deed.object == f"dead-letters/{letters[0]}"


async def test_one_is_sent_again_once_and_as_it_came(http, house, letters, sender, writer) -> None:
    done = await http.post(f"/v1/dead-letters/{letters[0]}/redrive", headers=house)
    assert done.json() == {"dead_letter_id": letters[0], "state": "redriven"}
    (sent,) = sender.records
    assert (sent.topic, sent.key, sent.value) == (topics.ORDERS, b"k", POISON)
    assert list(sent.headers) == HEADERS
    again = await http.post(f"/v1/dead-letters/{letters[0]}/redrive", headers=house)
    assert (again.status_code, len(sender.records)) == (409, 1)
    (redriven,) = (await get(http, house, state="redriven")).json()["items"]
    assert redriven["redriven_by"].startswith("hub_")


async def test_while_kafka_is_away_it_stays_open(http, house, letters, sender) -> None:
    sender.is_away = True
    refused = await http.post(f"/v1/dead-letters/{letters[0]}/redrive", headers=house)
    assert (refused.status_code, refused.headers["retry-after"]) == (503, "5")
    assert (await get(http, house, f"/{letters[0]}")).json()["state"] == "open"


async def test_a_push_is_taken_up_again_by_its_channel(http, house, writer, database) -> None:
    vault = Vault(database.settings.secret())
    async with writer.transaction():
        bad = record(b"not json", topic=topics.INBOUND)
        await apply.apply(writer, vault, [bad], "cluster")
    (letter,) = await dead_letters.page(writer)
    refused = await http.post(f"/v1/dead-letters/{letter['dead_letter_id']}/redrive", headers=house)
    assert refused.status_code == 409
    assert "retry" in refused.json()["detail"]


async def test_they_are_for_keys_of_no_channel(http, letters, key_for) -> None:
    channel = await key_for("website", "admin")
    assert (await get(http, channel)).status_code == 403
    assert (await get(http, channel, f"/{letters[0]}")).status_code == 403
    lacking = await key_for(None, "dead_letters:read")
    refused = await http.post(f"/v1/dead-letters/{letters[0]}/redrive", headers=lacking)
    assert refused.status_code == 403
