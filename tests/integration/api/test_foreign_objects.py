"""I8 over every route: a channel's key, whatever its scopes, learns and changes nothing of another
channel's objects. A route that is new has to be given its expectation here.
"""

import itertools
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from fastapi.routing import APIRoute

from hub.domain import ids
from hub.store.keys import SCOPES
from hub_api.keyring import OfTheHouse
from tests.event_maker import Shop, at, line

SHOP = Shop("web", "1")
SECRETIVE = "SECRETIVE"
"""Stands in every name of the other channel's that is not in a request."""
PHONE = "13912345678"
OWN = {"channel": "web", "shop": "1"}
MOMENT = datetime(2030, 1, 1, tzinfo=UTC).isoformat()


@dataclass(frozen=True)
class Ask:
    """A request by the names of the other channel's objects, and how a foreign key is answered.

    answers: statuses; 200: what is shown holds nothing of the other's. owned: the owner's key is
    not refused the same request, so it is the object that is not seen, and not the request.
    """

    body: dict[str, Any] | None = None
    query: dict[str, str] = field(default_factory=dict)
    answers: frozenset[int] = frozenset({403, 404})
    owned: bool = True


UNSEEN = Ask({})
HOUSE = Ask({}, answers=frozenset({403}), owned=False)
"""For keys of no channel: what needs `OfTheHouse` has this expectation by itself."""
OWN_LIST = Ask(answers=frozenset({200}))
ORDER = OWN | {"order_number": "W1"}
HELD_ITEMS = {"place": "s1", "items": [{"sku": "cake", "quantity": "1"}]}
EVERYTHING = (
    "select md5(concat("
    "(select count(*) from log.events),"
    "(select string_agg(s::text, '' order by subscription_id) from access.subscriptions as s),"
    "(select string_agg(d::text, '' order by delivery_id) from hub.deliveries as d)))"
)


def refused(**body: Any) -> Ask:
    """A command that names the other channel, or its object, in its body."""
    return Ask(body, answers=frozenset({403, 404}))


WALK: dict[str, Ask] = {
    "POST /v1/search": Ask({"text": "W1"}, answers=frozenset({403}), owned=False),
    "POST /v1/channels/{channel}/events": UNSEEN,
    "GET /v1/channels/{channel}/events/{event_id}": Ask(query={"shop": "1"}),
    "POST /v1/members/lookup": refused(type="phone", value=PHONE),
    "GET /v1/members/{member_id}": Ask(),
    "GET /v1/members/{member_id}/identifiers": Ask(),
    "GET /v1/members/{member_id}/orders": Ask(),
    "GET /v1/members/{member_id}/coupons": Ask(),
    "GET /v1/members/{member_id}/points": Ask(),
    "GET /v1/members/{member_id}/timeline": Ask(),
    "GET /v1/members/{member_id}/tiers": Ask(),
    "GET /v1/members/{member_id}/points/explanation": Ask(),
    "GET /v1/members/{member_id}/merges": HOUSE,
    "POST /v1/members/merge-preview": Ask(
        {"member_ids": ["{member_id}", "{member_id}"]}, answers=frozenset({403}), owned=False
    ),
    "POST /v1/members/{member_id}/merge": Ask(
        {"other_id": "{member_id}"}, answers=frozenset({403}), owned=False
    ),
    "POST /v1/members/{member_id}/split": Ask(
        {"profile_ids": ["{profile_id}"]}, answers=frozenset({403}), owned=False
    ),
    "POST /v1/members": refused(**OWN, account="secret"),
    "GET /v1/orders": Ask(query={"order_number": "W1", "channel": "web"}),
    "GET /v1/orders/{order_id}": Ask(),
    "GET /v1/orders/{order_id}/timeline": Ask(),
    "POST /v1/orders/{order_id}/pickup": refused(place="s2"),
    "POST /v1/orders/{order_id}/refunds": refused(refund_id="r", amount="1.00", currency="CNY"),
    "POST /v1/reservations": refused(**OWN, **HELD_ITEMS, order_number="W9"),
    "POST /v1/reservations/{reservation_id}/commit": UNSEEN,
    "POST /v1/reservations/{reservation_id}/release": UNSEEN,
    "POST /v1/allotments": HOUSE,
    "POST /v1/points/spend": refused(**ORDER, account="secret", points=1),
    "POST /v1/points/adjustments": refused(**OWN, account="secret", points=1, reason="-"),
    "POST /v1/points/holds": refused(**ORDER, account="secret", points=1),
    "POST /v1/points/holds/{hold_id}/capture": UNSEEN,
    "POST /v1/points/holds/{hold_id}/void": UNSEEN,
    "POST /v1/checkouts": refused(**OWN, **HELD_ITEMS, order_number="W9"),
    "POST /v1/checkouts/{checkout_id}/commit": UNSEEN,
    "POST /v1/checkouts/{checkout_id}/release": UNSEEN,
    "POST /v1/quotes": refused(**OWN, account="secret", amount="1.00", currency="CNY"),
    "POST /v1/coupons": refused(**OWN, kind="exchange"),
    "GET /v1/coupons/{code}": Ask(),
    "GET /v1/subscriptions": OWN_LIST,
    "GET /v1/subscriptions/{subscription_id}": Ask(),
    "PATCH /v1/subscriptions/{subscription_id}": refused(state="paused"),
    "POST /v1/subscriptions/{subscription_id}/rotate": UNSEEN,
    "POST /v1/subscriptions/{subscription_id}/resync": UNSEEN,
    "POST /v1/subscriptions/{subscription_id}/replay": refused(
        since="2026-01-01T00:00:00Z", until=MOMENT
    ),
    "GET /v1/deliveries": OWN_LIST,
    "GET /v1/deliveries/{delivery_id}": Ask(),
    "GET /v1/deliveries/{delivery_id}/attempts": Ask(),
    "POST /v1/deliveries/{delivery_id}/retry": UNSEEN,
    # Whoever shows the code has the coupon; what is held for an account is not another's to take or
    # give, and what the issuer alone decides is refused. No answer names the holder.
    **{
        f"POST /v1/coupons/{{code}}/{command}": Ask(
            {"shop": "1"} | body, answers=frozenset({status})
        )
        for command, status, body in (
            ("claim", 409, {"account": "mine"}),
            ("transfer", 409, {"account": "mine", "to_account": "mine"}),
            ("freeze", 409, {}),
            ("refund", 409, {}),
            ("void", 409, {}),
            ("quote", 200, {"amount": "200.00", "currency": "CNY"}),
            ("token", 201, {}),
            ("reserve", 200, {"reservation_id": "v1"}),
            ("release", 200, {"reservation_id": "v1"}),
            ("redeem", 200, {"redemption_id": "u1"}),
            ("reverse", 200, {"redemption_id": "u1"}),
        )
    },
    # These end what they name, for its owner.
    "DELETE /v1/subscriptions/{subscription_id}": Ask(),
    "POST /v1/members/{member_id}/erase": UNSEEN,
    "GET /v1/members/{profile_id}/erasure": Ask(),
    "POST /v1/members/erase": refused(channel="web", account="secret"),
}
OF_NO_CHANNEL = {
    "/v1/session": "of people, who have a browser",
    **dict.fromkeys(
        (
            "/v1/store/lookup",
            "/v1/store/pickups",
            "/v1/store/redemptions",
            "/v1/store/late-redemptions",
            "/v1/store/reversals",
            "/v1/store/orders/{order_id}/hand-over",
        ),
        "test_store: of clerks, who have a browser",
    ),
    "/v1/channels/{channel}/webhooks/{shop}": "by the platform's signature, without a key",
    "/v1/stock/{sku}": "stock is of items and places, for all channels",
    "/v1/stock/stream": "the same",
    "/v1/orders/stream": "test_streams: a channel is told of its own orders alone",
    "/v1/coupon-tokens/key": "a public key",
    "POST /v1/subscriptions": "of the key's channel, and names nothing that there is",
}


def operations(http: httpx.AsyncClient) -> Iterator[tuple[str, bool]]:
    """Every operation under `/v1`, as `GET /v1/orders/{order_id}`, and if it is of the house."""
    app: Any = http._transport.app  # type: ignore[attr-defined]
    for one in app.routes:
        router = getattr(one, "original_router", None)
        for route in [one] if router is None else router.routes:
            if not isinstance(route, APIRoute) or not route.path_format.startswith("/v1/"):
                continue
            needs = [dependency.call for dependency in route.dependant.dependencies]
            is_house = any(isinstance(one, OfTheHouse) for one in needs)
            for name in (f"{method} {route.path_format}" for method in route.methods or ()):
                if not {name, route.path_format} & set(OF_NO_CHANNEL):
                    yield name, is_house


def expectations(http: httpx.AsyncClient) -> dict[str, Ask]:
    """What a foreign key is told, in the order of `WALK`. A route without one fails here."""
    known = dict(operations(http))
    missing = {name for name, is_house in known.items() if not is_house} - set(WALK)
    assert missing == set(), "say in WALK how a key of another channel is answered"
    assert set(WALK) <= set(known), "WALK names what is no route"
    return {name: HOUSE for name, is_house in known.items() if is_house} | WALK


@pytest.fixture
async def owner(key_for) -> dict[str, str]:
    return await key_for("web", *(set(SCOPES) - {"admin"}))


@pytest.fixture
async def names(http, owner, take) -> dict[str, str]:
    """What the other channel has, by the names that routes have for it."""
    identifier = {"type": "phone", "value": PHONE, "proof": "verified"}
    coupon = {"kind": "discount", "face_value": "10.00", "currency": "CNY", "account": "secret"}
    count = {"sku": "cake", "place": "s1", "quantity": "90", "measured_at": at(0).isoformat()}
    order = {"order_number": "W1", "currency": "CNY", "buyer": {"account": "secret"}}
    await take(
        SHOP.body("member.registered", 0, account="secret", identifiers=[identifier]),
        SHOP.body("stock.counted", 1, **count),
        SHOP.body("points.earned", 1, account="secret", points=900),
        SHOP.body("coupon.issued", 1, code=f"CODE-{SECRETIVE}", **coupon),
        SHOP.body(
            "order.placed",
            2,
            event_id="placed",
            **order,
            lines=[line(1, f"cake-{SECRETIVE}", 1, "168.00")],
            total="168.00",
        ),
        SHOP.body("order.paid", 3, order_number="W1", amount="168.00", currency="CNY"),
    )

    async def made(path: str, headers: dict[str, str], **body: Any) -> dict[str, Any]:
        answer = await ask(http, "POST", path, headers, body)
        assert answer.status_code in (200, 201), answer.text
        return answer.json()

    wanted = {"label": SECRETIVE, "types": ["*"], "own_events": True}
    subscribed = await made(
        "/v1/subscriptions", owner, **wanted, target_url=f"https://{SECRETIVE}.example/"
    )
    path = f"/v1/subscriptions/{subscribed['subscription_id']}"
    span = {"since": "2020-01-01T00:00:00Z", "until": MOMENT}
    assert (await made(f"{path}/replay", owner, **span))["deliveries"] > 0
    told = (await http.get("/v1/deliveries", headers=owner)).json()["items"]
    hold = {"order_number": "W3", "account": "secret", "points": 5}
    return {
        "channel": "web",
        "event_id": "placed",
        "pack": "website",
        "member_id": ids.text(ids.profile_id("web", "secret")),
        "profile_id": ids.text(ids.profile_id("web", "secret")),
        "order_id": ids.text(ids.order_id("web", "1", "W1")),
        "code": f"CODE-{SECRETIVE}",
        "subscription_id": subscribed["subscription_id"],
        "delivery_id": told[0]["delivery_id"],
        "reservation_id": (
            await made("/v1/reservations", owner, shop="1", order_number="W2", **HELD_ITEMS)
        )["reservation_id"],
        "checkout_id": (
            await made("/v1/checkouts", owner, shop="1", order_number="W4", **HELD_ITEMS)
        )["checkout_id"],
        "hold_id": (await made("/v1/points/holds", owner, shop="1", **hold))["hold_id"],
    }


requests_made = itertools.count()


async def ask(
    http: httpx.AsyncClient, method: str, path: str, headers: dict[str, str], body: Any = None
) -> httpx.Response:
    named = headers | {"Idempotency-Key": f"n-{next(requests_made)}"}
    return await http.request(method, path, json=body, headers=named)


def filled(value: Any, names: dict[str, str]) -> Any:
    """With the names of objects in their places; an unknown one is an id of nothing."""
    if isinstance(value, str):
        return value.format_map(_Names(names)) if "{" in value else value
    if isinstance(value, dict):
        return {key: filled(one, names) for key, one in value.items()}
    return [filled(one, names) for one in value] if isinstance(value, list) else value


class _Names(dict[str, str]):
    def __missing__(self, _key: str) -> str:
        return str(uuid.UUID(int=7))


async def walked(
    http: httpx.AsyncClient, operation: str, wanted: Ask, names: dict[str, str], key: dict[str, str]
) -> httpx.Response:
    method, _, path = operation.partition(" ")
    query = "&".join(f"{name}={value}" for name, value in wanted.query.items())
    url = filled(path, names) + (f"?{query}" if query else "")
    body = filled(wanted.body, names) if method in ("POST", "PUT", "PATCH") else None
    return await ask(http, method, url, key, body)


@pytest.mark.parametrize("without", [{"admin", "member:all_channels"}, {"admin"}, set()])
async def test_a_key_of_another_channel_learns_and_changes_nothing(
    http, names, key_for, writer, without: set[str]
) -> None:
    foreign = await key_for("mini", *(set(SCOPES) - without))
    kept = await writer.fetchval(EVERYTHING)
    for operation, wanted in expectations(http).items():
        answer = await walked(http, operation, wanted, names, foreign)
        assert answer.status_code in wanted.answers, (operation, answer.text)
        told = answer.text.replace(names["code"], "")
        secrets = (SECRETIVE, "secret", PHONE, names["member_id"], names["order_id"])
        assert [one for one in secrets if one in told] == [], (operation, told)
        if not operation.startswith("POST /v1/coupons/{code}"):
            assert await writer.fetchval(EVERYTHING) == kept, operation
        kept = await writer.fetchval(EVERYTHING)


async def test_the_owner_is_not_refused_what_a_foreign_key_is(http, names, owner) -> None:
    for operation, wanted in expectations(http).items():
        if wanted.owned:
            answer = await walked(http, operation, wanted, names, owner)
            is_refused = answer.status_code in (401, 403, 404, 405) or answer.status_code >= 500
            assert not is_refused, (operation, answer.text)
