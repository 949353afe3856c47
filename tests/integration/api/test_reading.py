"""Reads: what a key sees of members, orders, stock and coupons, and what it does not."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import asyncpg
import httpx
import pytest

from hub.domain import ids
from hub.store.sealing import Vault
from hub.testing import Database
from hub_api.limits import COUPON_MISSES_PER_MINUTE_MAX

NOW = datetime(2025, 3, 1, 4, 0, tzinfo=UTC)
ALL_READS = ("members:read", "orders:read", "stock:read", "coupons:read", "events:write")
PHONE = "+8613912345678"


class World:
    """Rows as the streams would leave them."""

    def __init__(self, writer: asyncpg.Connection, vault: Vault) -> None:
        self.writer = writer
        self.vault = vault

    async def put(self, table: str, **values: Any) -> None:
        names = ", ".join(values)
        places = ", ".join(f"${i}" for i in range(1, len(values) + 1))
        await self.writer.execute(
            f"insert into {table} ({names}) values ({places})", *values.values()
        )

    async def member(self, *accounts: tuple[str, str], merged_into: bytes | None = None) -> bytes:
        member_id = uuid4().bytes
        await self.put("members", member_id=member_id, merged_into=merged_into, first_seen_at=NOW)
        for channel, account in accounts:
            await self.put(
                "profiles",
                profile_id=ids.profile_id(channel, account),
                channel=channel,
                account=account,
                member_id=member_id,
                first_seen_at=NOW,
                personal=b"sealed",
            )
        return member_id

    async def identifier(self, channel: str, account: str, value: str, proof: str) -> None:
        digest = self.vault.value_hmac("phone", value)
        await self.writer.execute(
            "insert into identifier_values values ('phone', $1) on conflict do nothing", digest
        )
        await self.put(
            "profile_identifiers",
            profile_id=ids.profile_id(channel, account),
            identifier_type="phone",
            value_hmac=digest,
            proof=proof,
            valid_from=NOW,
            event_key=uuid4().bytes,
        )

    async def order(self, channel: str, number: str, account: str | None, **changes: Any) -> bytes:
        order_id = ids.order_id(channel, changes.get("shop", "main"), number)
        values = {
            "order_id": order_id,
            "channel": channel,
            "shop": "main",
            "order_number": number,
            "profile_id": ids.profile_id(channel, account) if account else None,
            "currency": "CNY",
            "status": "placed",
            "payment_status": "paid",
            "fulfilment_status": "none",
            "return_status": "none",
            "gross_minor": 16800,
            "discount_minor": 2000,
            "total_minor": 14800,
            "paid_minor": 14800,
            "refunded_minor": 0,
            "placed_at": NOW,
            "event_count": 1,
            "first_received_at": NOW,
        }
        await self.put("orders", **values | changes)
        await self.writer.execute(
            "insert into shops (channel, shop) values ($1, $2) on conflict do nothing",
            channel,
            changes.get("shop", "main"),
        )
        return order_id

    async def coupon(self, code: str, owner: tuple[str, str] | None) -> bytes:
        coupon_id = ids.coupon_id(code)
        await self.put(
            "coupons",
            coupon_id=coupon_id,
            code=code,
            kind="exchange",
            profile_id=ids.profile_id(*owner) if owner else None,
            channel=owner[0] if owner else "unseen",
            shop="main",
            status="issued",
            owed_minor=0,
            terms={},
            uses_total=1,
            uses_redeemed=0,
            face_value_minor=5000,
            currency="CNY",
            issued_at=NOW,
            event_count=1,
            first_received_at=NOW,
        )
        return coupon_id

    async def points(self, channel: str, account: str, entries: int) -> None:
        profile_id = ids.profile_id(channel, account)
        await self.put(
            "points_accounts",
            profile_id=profile_id,
            issued_points=10 * entries,
            spent_points=0,
            expired_points=0,
            reversed_points=0,
            pending_points=0,
            held_points=0,
            open_points=10 * entries,
            debt_points=0,
        )
        for i in range(entries):
            await self.put(
                "points_entries",
                entry_id=uuid4().bytes,
                profile_id=profile_id,
                kind="earned",
                points=10,
                # Pairs share a moment: the cursor must not lose one of them.
                occurred_at=NOW + timedelta(minutes=i // 2),
                event_key=uuid4().bytes,
                rule_version="earn-1",
            )

    async def stored_event(
        self, channel: str, event_id: str, entity_key: bytes, outcome: str = "applied"
    ) -> bytes:
        source = f"/channels/{channel}/shops/main"
        key = ids.event_key(source, event_id)
        await self.put(
            "log.inbox",
            event_key=key,
            entity_key=entity_key,
            log_id=1,
            received_at=NOW,
            payload_hash=uuid4().bytes,
            is_announced=outcome == "applied",
            outcome=outcome,
            reason="it came too late" if outcome == "ignored" else None,
            waits_for="order 7" if outcome == "parked" else None,
        )
        await self.put(
            "log.events",
            log_id=1,
            received_at=NOW,
            entity_kind="order",
            entity_key=entity_key,
            event_key=key,
            source=source,
            event_id=event_id,
            type="order.placed",
            occurred_at=NOW,
            topic="commerce.orders.v1",
            partition=0,
            kafka_offset=0,
            produced_at=NOW,
            body=b"{}",
        )
        return key


@pytest.fixture
async def world(writer: asyncpg.Connection, database: Database) -> World:
    return World(writer, Vault(database.settings.secret()))


@pytest.fixture
async def website(key_for) -> dict[str, str]:
    return await key_for("website", *ALL_READS)


@pytest.fixture
async def clerk(key_for) -> dict[str, str]:
    """A website's key that sees members whole."""
    return await key_for("website", *ALL_READS, "member:all_channels")


async def read(http: httpx.AsyncClient, headers: dict[str, str], path: str) -> httpx.Response:
    return await http.get(path, headers=headers)


async def test_an_order_is_shown_with_its_lines_in_decimal_strings(http, world, website) -> None:
    await world.member(("website", "u1"))
    order_id = await world.order("website", "W-1", "u1", paid_minor=14805)
    await world.put(
        "order_lines",
        order_id=order_id,
        line="1",
        sku="CAKE",
        quantity_milli=1500,
        fulfilled_milli=0,
        returned_milli=0,
        unit_price_minor=11200,
        gross_minor=16800,
        discount_minor=2000,
        total_minor=14800,
    )
    answer = await read(http, website, f"/v1/orders/{ids.text(order_id)}")
    assert answer.status_code == 200, answer.text
    order = answer.json()
    assert (order["total"], order["paid"], order["currency"]) == ("148.00", "148.05", "CNY")
    assert order["placed_at"] == "2025-03-01T04:00:00Z"
    (line,) = order["lines"]
    assert (line["quantity"], line["unit_price"], line["name"]) == ("1.5", "112.00", None)


async def test_a_currency_without_minor_digits_has_none(http, world, website) -> None:
    order_id = await world.order("website", "W-1", None, currency="JPY")
    order = (await read(http, website, f"/v1/orders/{ids.text(order_id)}")).json()
    assert order["total"] == "14800"
    assert order["member_id"] is None


async def test_orders_are_found_by_number_in_one_shop_or_all_of_them(http, world, website) -> None:
    await world.order("website", "W-1", None)
    await world.order("website", "W-1", None, shop="second")
    await world.order("app", "W-1", None)
    found = (await read(http, website, "/v1/orders?order_number=W-1")).json()
    assert [order["shop"] for order in found["items"]] == ["main", "second"]
    one = (await read(http, website, "/v1/orders?order_number=W-1&shop=second")).json()
    assert [order["shop"] for order in one["items"]] == ["second"]
    none = (await read(http, website, "/v1/orders?order_number=W-2")).json()
    assert none == {"items": [], "next_cursor": None}


async def test_another_channels_objects_do_not_exist_on_any_route(
    http, world, website, clerk
) -> None:
    member_id = ids.text(await world.member(("app", "u1")))
    order_id = ids.text(await world.order("app", "A-1", "u1"))
    await world.coupon("CAKE50", ("app", "u1"))
    await world.identifier("app", "u1", PHONE, "verified")
    parts = ("", "/identifiers", "/orders", "/points", "/coupons", "/timeline")
    paths = [f"/v1/members/{member_id}{part}" for part in parts]
    for headers in (website, clerk):
        for path in [*paths, f"/v1/orders/{order_id}", "/v1/coupons/CAKE50"]:
            answer = await read(http, headers, path)
            assert answer.status_code == 404, path
            assert answer.json()["type"] == "/problems/not-found"
        by_phone = {"type": "phone", "value": PHONE}
        by_account = {"type": "account", "value": "u1", "channel": "app"}
        for body in (by_phone, by_account):
            found = await http.post("/v1/members/lookup", json=body, headers=headers)
            assert found.status_code == 404, body
        foreign = await read(http, headers, "/v1/orders?order_number=A-1&channel=app")
        assert foreign.status_code == 403
        status = await read(http, headers, "/v1/channels/app/events/e1")
        assert status.status_code == 403


async def test_a_member_of_two_channels_is_seen_whole_only_with_the_scope(
    http, world, website, clerk
) -> None:
    member_id = await world.member(("website", "u1"), ("app", "u2"))
    own = ids.text(await world.order("website", "W-1", "u1"))
    other = ids.text(await world.order("app", "A-1", "u2"))
    await world.coupon("CAKE50", ("app", "u2"))
    await world.points("website", "u1", 1)
    await world.points("app", "u2", 2)
    base = f"/v1/members/{ids.text(member_id)}"
    for headers, orders, balance, coupons, other_status in (
        (website, {own}, 10, 0, 404),
        (clerk, {own, other}, 30, 1, 200),
    ):
        found = (await read(http, headers, f"{base}/orders")).json()["items"]
        assert {order["order_id"] for order in found} == orders
        assert (await read(http, headers, f"{base}/points")).json()["balance"] == balance
        held = (await read(http, headers, f"{base}/coupons")).json()["items"]
        assert len(held) == coupons
        assert (await read(http, headers, f"/v1/orders/{other}")).status_code == other_status
        assert (await read(http, headers, "/v1/coupons/CAKE50")).status_code == other_status
        profiles = (await read(http, headers, base)).json()["profiles"]
        accounts = {profile["channel"]: profile["account"] for profile in profiles}
        assert accounts["website"] == "u1"
        assert accounts.get("app") is None


async def test_a_merged_away_id_answers_its_survivor(http, world, website) -> None:
    survivor = await world.member(("website", "u1"))
    middle = await world.member(merged_into=survivor)
    oldest = await world.member(merged_into=middle)
    answer = await read(http, website, f"/v1/members/{ids.text(oldest)}")
    assert answer.json()["member_id"] == ids.text(survivor)
    assert answer.json()["asked_id"] == ids.text(oldest)
    assert answer.headers["content-location"] == f"/v1/members/{ids.text(survivor)}"


async def test_merges_in_a_circle_end_as_not_found(http, world, writer, website) -> None:
    first = await world.member(("website", "u1"))
    second = await world.member(merged_into=first)
    await writer.execute("update members set merged_into = $1 where member_id = $2", second, first)
    assert (await read(http, website, f"/v1/members/{ids.text(first)}")).status_code == 404


@pytest.mark.parametrize("spelling", ["139 1234 5678", "+86 13912345678", "８６13912345678"])
async def test_a_phone_is_looked_up_however_it_is_written(
    http, world, website, spelling: str
) -> None:
    member_id = await world.member(("website", "u1"))
    await world.identifier("website", "u1", PHONE, "verified")
    body = {"type": "phone", "value": spelling}
    answer = await http.post("/v1/members/lookup", json=body, headers=website)
    assert answer.json() == {"members": [{"member_id": ids.text(member_id), "is_verified": True}]}


async def test_who_proved_an_identifier_comes_before_who_stated_it(http, world, website) -> None:
    stated = await world.member(("website", "u1"))
    proved = await world.member(("website", "u2"))
    await world.identifier("website", "u1", PHONE, "declared")
    await world.identifier("website", "u2", PHONE, "verified")
    body = {"type": "phone", "value": PHONE}
    found = (await http.post("/v1/members/lookup", json=body, headers=website)).json()["members"]
    assert [one["member_id"] for one in found] == [ids.text(proved), ids.text(stated)]


async def test_an_account_is_looked_up_in_its_channel(http, world, website) -> None:
    member_id = await world.member(("website", "u1"))
    body = {"type": "account", "value": "u1"}
    answer = await http.post("/v1/members/lookup", json=body, headers=website)
    assert answer.json()["members"][0]["member_id"] == ids.text(member_id)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b'{"type": "phone", "value": "1", "value": "2"}', 400),
        (b"", 400),
        (b'{"type": "phone", "value": "\\ud800"}', 400),
        (b'{"type": "phone"}', 422),
        (b'{"type": "shoe", "value": "42"}', 422),
        (b'{"type": "phone", "value": "00000000000"}', 422),
        (b'{"type": "phone", "value": 13912345678}', 422),
        (b'{"type": "phone", "value": "x", "member_id": "y"}', 422),
        (b"[]", 422),
    ],
)
async def test_a_bad_lookup_is_refused_without_repeating_the_value(
    http, website, body: bytes, status: int
) -> None:
    headers = website | {"content-type": "application/json"}
    answer = await http.post("/v1/members/lookup", content=body, headers=headers)
    assert answer.status_code == status, answer.text
    assert answer.json()["errors"][0]["reason"]
    assert "13912345678" not in answer.text


async def test_no_personal_value_is_shown(http, world, website) -> None:
    member_id = ids.text(await world.member(("website", "u1")))
    await world.identifier("website", "u1", PHONE, "verified")
    found = await read(http, website, f"/v1/members/{member_id}/identifiers")
    (identifier,) = found.json()["items"]
    assert identifier["value"] == "***"
    assert len(identifier["reference"]) == 8
    profile = (await read(http, website, f"/v1/members/{member_id}")).json()["profiles"][0]
    assert profile["name"] == "***"


async def test_pages_go_through_all_rows_once_and_end(http, world, website) -> None:
    member_id = ids.text(await world.member(("website", "u1")))
    await world.points("website", "u1", 11)
    path = f"/v1/members/{member_id}/points?limit=3"
    seen: list[str] = []
    cursor, pages = None, 0
    while pages == 0 or cursor:
        answer = await http.get(
            path, params={"limit": 3} | ({"cursor": cursor} if cursor else {}), headers=website
        )
        assert answer.status_code == 200, answer.text
        seen += [entry["entry_id"] for entry in answer.json()["items"]]
        cursor, pages = answer.json()["next_cursor"], pages + 1
    assert len(seen) == len(set(seen)) == 11
    assert pages == 4


async def test_a_cursor_is_good_for_its_own_list_and_reader_only(
    http, world, website, clerk, key_for
) -> None:
    member_id = ids.text(await world.member(("website", "u1"), ("app", "u1")))
    await world.points("website", "u1", 4)
    path = f"/v1/members/{member_id}"
    cursor = (await read(http, website, f"{path}/points?limit=2")).json()["next_cursor"]
    app = await key_for("app", *ALL_READS)
    assert (await read(http, website, f"{path}/points?cursor={cursor}")).status_code == 200
    turned = cursor[:-5] + ("A" if cursor[-5] != "A" else "B") + cursor[-4:]
    for headers, target in (
        (website, f"{path}/points?cursor={turned}"),
        (website, f"{path}/points?cursor={cursor[:-8]}"),
        (website, f"{path}/points?cursor=1'%20or%201=1"),
        (website, f"{path}/points?cursor=%F0%9F%8D%B0"),
        (website, f"{path}/orders?cursor={cursor}"),
        (website, f"/v1/members/{uuid4()}/points?cursor={cursor}"),
        (app, f"{path}/points?cursor={cursor}"),
        (clerk, f"{path}/points?cursor={cursor}"),
    ):
        answer = await read(http, headers, target)
        assert answer.status_code == 400, target
        assert answer.json()["type"] == "/problems/bad-cursor"


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=201", "limit=-1", "limit=1e9", "limit=x", "limt=5"]
)
async def test_limits_out_of_bounds_and_unknown_parameters_are_named(
    http, world, website, query: str
) -> None:
    member_id = ids.text(await world.member(("website", "u1")))
    answer = await read(http, website, f"/v1/members/{member_id}/orders?{query}")
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == query.partition("=")[0]


@pytest.mark.parametrize("limit", [1, 200])
async def test_limits_at_the_bounds_are_taken(http, world, website, limit: int) -> None:
    member_id = ids.text(await world.member(("website", "u1")))
    answer = await read(http, website, f"/v1/members/{member_id}/orders?limit={limit}")
    assert answer.status_code == 200


@pytest.mark.parametrize(
    "path", ["/v1/orders/1'%20or%20'1'='1", "/v1/members/..%2f..%2fetc", "/v1/orders/%00"]
)
async def test_ids_that_are_none_are_refused(http, website, path: str) -> None:
    assert (await read(http, website, path)).status_code in (400, 404, 422)


async def test_names_with_tricks_find_nothing(http, website) -> None:
    for code in ("../../x", "x' or '1'='1", "%", "_", "<script>", "a\x00b"):
        quoted = "".join(f"%{byte:02x}" for byte in code.encode())
        for path in (f"/v1/coupons/{quoted}", f"/v1/stock/{quoted}"):
            answer = await read(http, website, path)
            assert answer.status_code in (400, 404, 422), path


async def test_stock_is_shown_by_place_with_what_is_available(http, world, website) -> None:
    await world.put("items", sku="CAKE/6", name="蛋糕", position_at=NOW, position_id=uuid4().bytes)
    for place, on_hand in (("s1", 5000), ("s2", 500)):
        await world.put(
            "stock_positions",
            sku="CAKE/6",
            place=place,
            on_hand_milli=on_hand,
            committed_milli=1000,
            version=1,
        )
    answer = await read(http, website, "/v1/stock/CAKE%2F6")
    stock = answer.json()
    assert stock["name"] == "蛋糕"
    assert [(one["place"], one["on_hand"], one["available"]) for one in stock["items"]] == [
        ("s1", "5", "4"),
        ("s2", "0.5", "-0.5"),
    ]
    page = (await read(http, website, "/v1/stock/CAKE%2F6?limit=1")).json()
    rest = await read(http, website, f"/v1/stock/CAKE%2F6?cursor={page['next_cursor']}")
    assert [one["place"] for one in rest.json()["items"]] == ["s2"]
    assert (await read(http, website, "/v1/stock/PIE")).status_code == 404


async def test_a_coupon_is_found_however_its_code_is_written(http, world, website) -> None:
    await world.member(("website", "u1"))
    await world.coupon("CAKE50", ("website", "u1"))
    for code in ("CAKE50", "cake50", "ＣＡＫＥ５０", "cake%2050"):
        answer = await read(http, website, f"/v1/coupons/{code}")
        assert answer.status_code == 200, code
        assert answer.json()["face_value"] == "50.00"


async def test_a_channel_sees_the_coupons_it_issued_or_redeemed(http, world, key_for) -> None:
    coupon_id = await world.coupon("CAKE50", None)
    issuer, redeemer, other = [
        await key_for(channel, "coupons:read") for channel in ("website", "store", "app")
    ]
    await world.stored_event("website", "e1", coupon_id)
    for redemption_id, channel in (("r1", "store"), ("r2", "website")):
        await world.put(
            "coupon_redemptions",
            coupon_id=coupon_id,
            redemption_id=redemption_id,
            channel=channel,
            shop="main",
            redeemed_at=NOW,
            is_accepted=True,
            revenue_minor=0,
            event_key=uuid4().bytes,
        )
    for headers, seen in ((issuer, ["r2"]), (redeemer, ["r1"])):
        coupon = (await read(http, headers, "/v1/coupons/CAKE50")).json()
        assert [use["redemption_id"] for use in coupon["redemptions"]] == seen
    assert (await read(http, other, "/v1/coupons/CAKE50")).status_code == 404


async def test_guessing_codes_gets_slow(http, world, website, clerk) -> None:
    await world.member(("website", "u1"))
    await world.coupon("CAKE50", ("website", "u1"))
    for i in range(COUPON_MISSES_PER_MINUTE_MAX):
        assert (await read(http, website, f"/v1/coupons/GUESS{i}")).status_code == 404
    answer = await read(http, website, "/v1/coupons/CAKE50")
    assert answer.status_code == 429
    assert 0 < int(answer.headers["retry-after"]) <= 61
    assert (await read(http, clerk, "/v1/coupons/CAKE50")).status_code == 200


async def test_a_timeline_tells_what_happened_to_member_orders_and_coupons(
    http, world, website, clerk
) -> None:
    member_id = await world.member(("website", "u1"), ("app", "u1"))
    order_id = await world.order("website", "W-1", "u1")
    other_id = await world.order("app", "A-1", "u1")
    await world.stored_event("website", "e1", order_id)
    await world.stored_event("app", "e1", other_id)
    path = f"/v1/members/{ids.text(member_id)}/timeline"
    own = (await read(http, website, path)).json()["items"]
    assert [(one["object_id"], one["outcome"]) for one in own] == [(ids.text(order_id), "applied")]
    assert len((await read(http, clerk, path)).json()["items"]) == 2
    page = (await read(http, clerk, f"{path}?limit=1")).json()
    rest = (await read(http, clerk, f"{path}?cursor={page['next_cursor']}")).json()
    assert len({one["object_id"] for one in page["items"] + rest["items"]}) == 2


async def test_what_did_not_change_is_answered_with_304(http, world, writer, website) -> None:
    order_id = await world.order("website", "W-1", None)
    path = f"/v1/orders/{ids.text(order_id)}"
    first = await read(http, website, path)
    tag = first.headers["etag"]
    again = await http.get(path, headers=website | {"If-None-Match": f'"x", W/{tag}'})
    assert again.status_code == 304
    assert again.content == b""
    await writer.execute("update orders set status = 'closed'")
    changed = await http.get(path, headers=website | {"If-None-Match": tag})
    assert changed.status_code == 200
    assert changed.headers["etag"] != tag
    assert "private" in first.headers["cache-control"]


async def test_what_became_of_an_event_is_told(http, world, website, sender, event) -> None:
    posted = await http.post("/v1/channels/website/events", json=event("e/1?x"), headers=website)
    url = posted.json()["events"][0]["status_url"]
    assert (await read(http, website, url)).json()["state"] == "pending"
    plain = await read(http, website, "/v1/channels/website/events/e%2F1%3Fx?shop=main")
    assert plain.status_code == 404
    assert plain.json()["type"] == "/problems/event-unknown"
    await world.stored_event("website", "e/1?x", uuid4().bytes, "parked")
    told = (await read(http, website, url)).json()
    assert (told["state"], told["waits_for"]) == ("parked", "order 7")
    without_shop = await read(http, website, "/v1/channels/website/events/e%2F1%3Fx")
    assert without_shop.status_code == 404, "no shop of the channel is known yet"


async def test_a_dead_letter_is_told_with_its_reason(http, world, website) -> None:
    await world.order("website", "W-1", None)
    await world.put(
        "log.dead_letters",
        dead_letter_id=uuid4().bytes,
        topic="commerce.orders.v1",
        partition=0,
        kafka_offset=7,
        source="/channels/website/shops/main",
        event_id="e7",
        reason_code="amounts_differ",
        reason="the lines do not add up",
        field="$.data.total",
    )
    told = (await read(http, website, "/v1/channels/website/events/e7")).json()
    assert told["state"] == "dead_letter"
    (letter,) = told["dead_letters"]
    assert (letter["field"], letter["reason"]) == ("$.data.total", "the lines do not add up")
    await world.stored_event("website", "e7", uuid4().bytes)
    told = (await read(http, website, "/v1/channels/website/events/e7")).json()
    assert told["state"] == "applied"
    assert len(told["dead_letters"]) == 1


async def test_a_stored_event_is_found_without_naming_its_shop(http, world, website) -> None:
    await world.order("website", "W-1", None)
    await world.order("website", "W-2", None, shop="second")
    await world.stored_event("website", "e1", uuid4().bytes, "ignored")
    told = (await read(http, website, "/v1/channels/website/events/e1")).json()
    assert told["state"] == "ignored"
    assert told["reason"] == "it came too late"
    assert told["source"] == "/channels/website/shops/main"


async def test_an_event_that_kafka_has_and_the_hub_passed_is_no_longer_pending(
    http, world, website, event
) -> None:
    posted = await http.post("/v1/channels/website/events", json=event("e1"), headers=website)
    url = posted.json()["events"][0]["status_url"]
    await world.put(
        "log.offsets",
        consumer_group="hub",
        topic="commerce.orders.v1",
        partition=0,
        next_offset=1,
        cluster_id="c",
    )
    assert (await read(http, website, url)).status_code == 404


async def test_a_receipt_is_good_for_its_own_event_only(http, website, event) -> None:
    posted = await http.post("/v1/channels/website/events", json=event("e1"), headers=website)
    url = posted.json()["events"][0]["status_url"]
    assert (await read(http, website, url.replace("/e1?", "/e2?"))).status_code == 400
    assert (await read(http, website, url[:-3])).status_code == 400


@pytest.mark.parametrize(
    ("scope", "path"),
    [
        ("orders:read", "/v1/members/00000000-0000-4000-8000-000000000001"),
        ("members:read", "/v1/orders/00000000-0000-4000-8000-000000000001"),
        ("members:read", "/v1/members/00000000-0000-4000-8000-000000000001/orders"),
        ("members:read", "/v1/members/00000000-0000-4000-8000-000000000001/coupons"),
        ("orders:read", "/v1/stock/CAKE"),
        ("stock:read", "/v1/coupons/CAKE50"),
        ("stock:read", "/v1/channels/website/events/e1"),
    ],
)
async def test_each_read_needs_its_scope(http, key_for, scope: str, path: str) -> None:
    answer = await read(http, await key_for("website", scope), path)
    assert answer.status_code == 403
    assert answer.json()["type"] == "/problems/scope-missing"


async def test_an_admin_key_of_no_channel_sees_everything(http, world, key_for) -> None:
    admin = await key_for(None, "admin")
    member_id = ids.text(await world.member(("app", "u1")))
    order_id = ids.text(await world.order("app", "A-1", "u1"))
    assert (await read(http, admin, f"/v1/members/{member_id}")).status_code == 200
    assert (await read(http, admin, f"/v1/orders/{order_id}")).status_code == 200
    needs_channel = await read(http, admin, "/v1/orders?order_number=A-1")
    assert needs_channel.status_code == 422
    found = await read(http, admin, "/v1/orders?order_number=A-1&channel=app")
    assert len(found.json()["items"]) == 1
