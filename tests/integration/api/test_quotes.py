"""A quote says what a checkout then takes, and why the rest does not fit; it changes nothing."""

from itertools import count
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given
from hypothesis import settings as given_settings
from hypothesis import strategies as st

from hub.store.digest import digest
from tests.event_maker import Shop, at

SHOP = Shop("website", "main")
OTHER = Shop("tmall", "flagship")
RATES = {
    "points_per_unit": 1,
    "redeeming": {
        "points_min": 10,
        "multiple_of": 10,
        "points_max": 3000,
        "points_per_unit": 10,
        "share_max_percent": 50,
    },
}
CLUB = {
    "basis": "growth",
    "levels": [
        {"name": "basic", "threshold": 0},
        {"name": "gold", "threshold": 100, "price_list": "gold-2026", "points_factor_milli": 1500},
    ],
}
GOLD = {"currency": "CNY", "percent_off": 5, "prices": {"cake": "150.00", "tart": "99.00"}}
FOREVER = "2099-01-01T00:00:00+08:00"
PAST = "2026-03-02T00:00:00+08:00"
BASKET = {"shop": "main", "account": "a", "amount": "200.00", "currency": "CNY"}


def config(kind: str, name: str, document: dict[str, Any]) -> bytes:
    said = {"kind": kind, "name": name, "document": document, "reason": "a test"}
    return Shop("hub").decision("config.published", -60, **said, event_id=f"c-{kind}")


def coupon(code: str, account: str | None = "a", **more: Any) -> bytes:
    plain = {"kind": "discount", "face_value": "20.00", "currency": "CNY", "valid_until": FOREVER}
    issued = plain | {"account": account} | more
    said = {name: value for name, value in issued.items() if value is not None}
    return SHOP.body("coupon.issued", 1, code=code, **said)


@pytest.fixture
async def seller(key_for) -> dict[str, str]:
    return await key_for("website", "checkouts:write", "coupons:read")


@pytest.fixture
async def shop(take) -> Any:
    """Plenty of flour, a rule of points, a scheme with a price list, and a gold member."""
    flour = {"sku": "flour", "place": "xuhui", "measured_at": at(0).isoformat()}
    await take(
        config("points_rules", "default", RATES),
        config("tier_scheme", "club", CLUB),
        config("price_list", "gold-2026", GOLD),
        SHOP.body("stock.counted", 1, quantity="100000", **flour),
        SHOP.body("member.registered", 0, account="a"),
        SHOP.body("member.growth_earned", 1, account="a", growth=500),
        SHOP.body("points.earned", 1, account="a", points=700),
    )
    return take


async def asked(http, headers: dict[str, str], **body: Any) -> Any:
    return await http.post("/v1/quotes", json=BASKET | body, headers=headers)


async def told(http, headers: dict[str, str], **body: Any) -> dict[str, Any]:
    answer = await asked(http, headers, **body)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_items_are_at_the_best_price_of_the_members_level(http, shop, seller) -> None:
    items = [
        {"sku": "cake", "quantity": "1", "unit_price": "168.00"},
        {"sku": "tart", "quantity": "2", "unit_price": "88.00"},
        {"sku": "bread", "quantity": "0.5", "unit_price": "10.30"},
    ]
    quote = await told(http, seller, items=items, amount=None)
    prices = {item["sku"]: (item["member_price"], item["amount"]) for item in quote["items"]}
    assert prices == {
        "cake": ("150.00", "150.00"),
        "tart": ("88.00", "176.00"),
        "bread": ("9.78", "4.89"),
    }
    assert quote["amount"] == quote["to_pay"] == "330.89"
    assert quote["levels"] == [
        {"scheme": "club", "level": "gold", "price_list": "gold-2026", "points_factor": "1.5"}
    ]
    guest = await told(http, seller, items=items, amount=None, account=None)
    assert (guest["amount"], guest["levels"]) == ("349.15", [])
    stranger = await told(http, seller, items=items, amount=None, account="nobody-knows")
    assert (stranger["amount"], stranger["levels"]) == ("349.15", [])


async def test_the_wallet_is_told_with_what_stands_in_the_way_of_each(http, shop, seller) -> None:
    await shop(
        coupon("FITS", template="t"),
        coupon("HIGH", terms={"minimum": "200.01", "stacking": "any"}),
        coupon("OVER", valid_until=PAST),
        coupon("SOON", valid_from="2098-01-01T00:00:00+08:00"),
        coupon("VOUCHER", kind="exchange", face_value="188.00"),
        coupon("CHOSEN", terms={"stacking": "any"}),
        coupon("ANYWAY", terms={"stacking": "any", "percent_off": 10}, face_value=None),
        coupon("OTHERS", account="b"),
    )
    quote = await told(http, seller, coupons=["CHOSEN"])
    found = {one["code"]: (one["amount"], one["obstacles"]) for one in quote["coupons"]}
    assert found == {
        "CHOSEN": ("20.00", []),
        "FITS": ("0.00", ["not_beside_the_others"]),
        "HIGH": ("0.00", ["minimum_not_reached"]),
        "OVER": ("0.00", ["expired", "not_beside_the_others"]),
        "SOON": ("0.00", ["not_valid_yet", "not_beside_the_others"]),
        "VOUCHER": ("180.00", []),
        "ANYWAY": ("20.00", []),
    }
    assert [one["code"] for one in quote["coupons"] if one["is_chosen"]] == ["CHOSEN"]
    assert (quote["discount"], quote["tendered"], quote["to_pay"]) == ("20.00", "0.00", "180.00")


async def test_of_coupons_for_one_use_a_person_the_second_does_not_fit(http, shop, seller) -> None:
    once = {"terms": {"once_per_person": True, "stacking": "any"}, "template": "welcome"}
    await shop(*(coupon(code, **once) for code in ("FIRST", "SECOND")))
    both = await told(http, seller, coupons=["FIRST", "SECOND"])
    assert [one["obstacles"] for one in both["coupons"]] == [["once_per_person"]] * 2
    first = {"code": "FIRST", "redemption_id": "r", "order_number": "W0"}
    await shop(SHOP.body("coupon.redeemed", 2, **first))
    for account in ("a", None):
        quote = await told(http, seller, coupons=["SECOND"], account=account)
        assert quote["coupons"][0]["obstacles"] == ["once_per_person"]
        checkout = BASKET | {"coupons": ["SECOND"], "order_number": "W1", "place": "xuhui"}
        if account is None:
            del checkout["account"]
        checkout["items"] = [{"sku": "flour", "quantity": "1"}]
        named = seller | {"Idempotency-Key": f"once-{account}"}
        refused = await http.post("/v1/checkouts", json=checkout, headers=named)
        assert refused.status_code == 409, refused.text


async def test_a_quote_changes_nothing(http, shop, seller, writer) -> None:
    await shop(coupon("TEN"))
    before = await digest(writer)
    quote = await told(http, seller, coupons=["TEN"], points=100)
    assert quote["is_possible"]
    assert await digest(writer) == before


async def test_points_pay_up_to_the_share_and_what_is_left(http, shop, seller) -> None:
    await shop(coupon("VOUCHER", kind="exchange", face_value="150.00"))
    points = (await told(http, seller))["points"]
    assert (points["available"], points["most"], points["most_pay"]) == (700, 700, "70.00")
    assert (points["points_min"], points["multiple_of"]) == (10, 10)
    assert (await told(http, seller, amount="100.00"))["points"]["most"] == 500
    by_voucher = await told(http, seller, coupons=["VOUCHER"], points=500)
    assert by_voucher["points"]["pay"] == "50.00"
    assert (by_voucher["tendered"], by_voucher["to_pay"]) == ("150.00", "0.00")
    assert by_voucher["is_possible"]
    for wanted, obstacle in ((505, "points_rule"), (710, "points_short"), (5, "points_rule")):
        refused = await told(http, seller, points=wanted)
        assert refused["points"]["obstacle"] == obstacle
        assert not refused["is_possible"]
    nobody = await told(http, seller, account=None, points=10)
    assert nobody["points"]["obstacle"] == "account_missing"


async def test_points_of_other_channels_are_told_to_keys_that_see_them_only(
    http, shop, seller, key_for
) -> None:
    phone = [{"type": "phone", "value": "13912345678", "proof": "verified"}]
    await shop(
        SHOP.body("member.identified", 2, account="a", identifiers=phone),
        OTHER.body("member.registered", 2, account="t", identifiers=phone),
        OTHER.body("points.earned", 3, account="t", points=300),
    )
    assert (await told(http, seller))["points"]["available"] == 700
    whole = await key_for("website", "checkouts:write", "member:all_channels")
    quote = await told(http, whole)
    assert (quote["points"]["available"], quote["coupons"]) == (1000, [])
    # What the hub lets be spent is the whole wallet, whatever a key is told of it.
    assert (await told(http, seller, points=900))["is_possible"]


@pytest.mark.parametrize(
    ("change", "status", "field"),
    [
        ({"coupons": ["NOBODY-KNOWS"]}, 404, None),
        ({"amount": None}, 422, "amount"),
        ({"amount": None, "items": [{"sku": "x", "quantity": "1"}]}, 422, "items[0].unit_price"),
        ({"amount": "-1"}, 422, "amount"),
        ({"amount": "1.001"}, 422, "amount"),
        ({"items": [{"sku": "x", "quantity": "0"}]}, 422, "items[0].quantity"),
        ({"amount": "1", "currency": "yuan"}, 422, "currency"),
        (
            {
                "amount": None,
                "items": [
                    {"sku": "x", "quantity": "1000000000", "unit_price": "90000000000000"},
                ],
            },
            422,
            "items",
        ),
        ({"channel": "tmall"}, 403, None),
    ],
)
async def test_what_cannot_be_quoted_is_refused_with_its_field(
    http, shop, seller, change: dict[str, Any], status: int, field: str | None
) -> None:
    body = {name: value for name, value in (BASKET | change).items() if value is not None}
    answer = await http.post("/v1/quotes", json=body, headers=seller)
    assert answer.status_code == status, answer.text
    if field is not None:
        assert answer.json()["errors"][0]["field"] == field


CASES = count(1)
TERMS = st.fixed_dictionaries(
    {},
    optional={
        "minimum": st.sampled_from(["50", "150", "250"]),
        "percent_off": st.sampled_from([10, 33, 100]),
        "maximum": st.sampled_from(["5", "60"]),
        "stacking": st.sampled_from(["alone", "other_templates", "any", "any"]),
        "once_per_person": st.just(True),
    },
)
COUPON = st.fixed_dictionaries(
    {
        "kind": st.sampled_from(["discount", "discount", "exchange", "times", "platform"]),
        "account": st.sampled_from(["own", "own", "own", "another", None]),
        "face_value": st.sampled_from(["10", "33", "120"]),
        "currency": st.sampled_from(["CNY", "CNY", "CNY", "CNY", "JPY"]),
        "template": st.sampled_from([None, "t1", "t2"]),
        "terms": TERMS,
        "valid_until": st.sampled_from([FOREVER, FOREVER, FOREVER, PAST]),
        "state": st.sampled_from(["new", "new", "new", "new", "redeemed", "reserved", "frozen"]),
    }
)
ORDERS = st.fixed_dictionaries(
    {
        "amount": st.sampled_from(["0.00", "9.99", "100.00", "180.50", "300.00"]),
        "balance": st.sampled_from([0, 45, 400, 5000]),
        "points": st.sampled_from([0, 0, 5, 10, 40, 310, 495, 1500, 3010]),
        "coupons": st.lists(COUPON, max_size=3),
        "used_before": st.sampled_from([None, None, "t1", "t2"]),
        "guest": st.sampled_from([False, False, False, False, True]),
    }
)


def story(case: int, order: dict[str, Any]) -> tuple[list[bytes], list[str]]:
    """What happened before: events, and the codes that will be used."""
    own, codes = f"own-{case}", []
    bodies = [SHOP.body("member.registered", 0, account=own)]
    if order["balance"]:
        bodies.append(SHOP.body("points.earned", 1, account=own, points=order["balance"]))
    if order["used_before"]:
        terms = {"terms": {"once_per_person": True}, "template": order["used_before"]}
        named = {"code": f"USED-{case}", "redemption_id": "r", "order_number": f"earlier-{case}"}
        bodies.append(coupon(f"USED-{case}", own, **terms))
        bodies.append(SHOP.body("coupon.redeemed", 2, **named))
    for number, wish in enumerate(order["coupons"]):
        code = f"CASE-{case}-{number}"
        said = {name: value for name, value in wish.items() if name != "state"}
        said["account"] = own if wish["account"] == "own" else wish["account"]
        bodies.append(coupon(code, **said))
        named = {"code": code, "order_number": f"before-{code}"}
        if wish["state"] == "redeemed":
            bodies.append(SHOP.body("coupon.redeemed", 2, redemption_id=f"r-{code}", **named))
        elif wish["state"] == "reserved":
            until = {"reservation_id": f"r-{code}", "expires_at": FOREVER}
            bodies.append(SHOP.body("coupon.reserved", 2, **named, **until))
        elif wish["state"] == "frozen":
            bodies.append(SHOP.body("coupon.frozen", 2, code=code))
        codes.append(code)
    return bodies, codes


@given(order=ORDERS)
@given_settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    phases=[Phase.generate],
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
async def test_a_checkout_takes_what_was_quoted_and_refuses_what_was_not(
    http, shop, seller, order: dict[str, Any]
) -> None:
    case = next(CASES)
    bodies, codes = story(case, order)
    await shop(*bodies)
    wish = {
        "shop": "main",
        "amount": order["amount"],
        "currency": "CNY",
        "coupons": codes,
        "points": order["points"],
    }
    if not order["guest"]:
        wish["account"] = f"own-{case}"
    quote = await told(http, seller, **{"account": None} | wish)
    goods = {"place": "xuhui", "items": [{"sku": "flour", "quantity": "1"}]}
    made = await http.post(
        "/v1/checkouts",
        json=wish | goods | {"order_number": f"W-{case}"},
        headers=seller | {"Idempotency-Key": f"k-{case}"},
    )
    assert made.status_code == (201 if quote["is_possible"] else 409), (quote, made.text)
    if made.status_code == 201:
        worth = {one["code"]: one["amount"] for one in quote["coupons"] if one["is_chosen"]}
        assert {one["code"]: one["amount"] for one in made.json()["coupons"]} == worth
    most = quote["points"]["most"]
    if quote["is_possible"] and most and not order["points"] and not codes:
        by_points = wish | goods | {"order_number": f"P-{case}", "points": most}
        done = await http.post(
            "/v1/checkouts", json=by_points, headers=seller | {"Idempotency-Key": f"p-{case}"}
        )
        assert done.status_code == 201, (quote, done.text)
