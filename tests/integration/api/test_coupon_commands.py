"""Coupons over HTTP: issued, claimed, quoted, reserved, redeemed, undone, once each."""

import asyncio
import base64
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import httpx
import pytest

from hub.domain import coupon_codes, coupon_tokens, ids
from hub.store import apply, check
from hub.store.sealing import Vault
from tests.event_maker import Shop, record

PHONE = "139 1234 5678"
SOLD = {"kind": "exchange", "paid_amount": "168.00", "face_value": "198.00", "currency": "CNY"}
_requests = count(1)


class Caller:
    """One channel's shop."""

    def __init__(self, http: httpx.AsyncClient, headers: dict[str, str], shop: str) -> None:
        self.http, self.headers, self.shop = http, headers, shop

    async def post(self, path: str, /, again: str | None = None, **body: Any) -> httpx.Response:
        named = {"Idempotency-Key": again or f"request-{next(_requests)}"}
        url = f"/v1/coupons{path}"
        return await self.http.post(
            url, json={"shop": self.shop} | body, headers=self.headers | named
        )

    async def issue(self, **more: Any) -> str:
        answer = await self.post("", **(SOLD | more))
        assert answer.status_code == 201, answer.text
        return answer.json()["code"]


@pytest.fixture
async def web(http, key_for) -> Caller:
    return Caller(http, await key_for("web", "coupons:write", "coupons:read"), "1")


@pytest.fixture
async def mini(http, key_for) -> Caller:
    return Caller(http, await key_for("mini", "coupons:write", "coupons:read", "members:read"), "1")


@pytest.fixture
async def till(http, key_for) -> Caller:
    return Caller(http, await key_for("store", "coupons:write", "coupons:read"), "xuhui")


@pytest.fixture
def tell(writer, database):
    """Store events as the streams do."""

    async def take(*bodies: bytes) -> None:
        async with writer.transaction():
            vault = Vault(database.settings.secret())
            await apply.apply(
                writer, vault, [record(one, now=datetime.now(UTC)) for one in bodies], "cluster"
            )

    return take


def cause(answer: httpx.Response) -> str:
    assert answer.status_code == 409, answer.text
    return answer.json()["detail"].rpartition("(")[2].rstrip(")")


async def test_a_voucher_bought_on_the_web_is_redeemed_in_the_store(web, till) -> None:
    code = await web.issue()
    assert coupon_codes.is_own(code)
    typed = coupon_codes.shown(code).lower().replace("0", "o")
    answer = await till.post(f"/{typed}/redeem", redemption_id="7", place="xuhui")
    assert answer.json()["status"] == "redeemed"
    undone = await till.post(f"/{code}/reverse", redemption_id="7", reason="wrong cake")
    assert undone.json()["status"] == "issued"


async def test_the_same_code_redeemed_in_the_store_and_online_in_the_same_second_is_one(
    web, till, database
) -> None:
    code = await web.issue()
    attempts = [
        caller.post(f"/{code}/redeem", redemption_id=f"{caller.shop}-{n}")
        for n in range(15)
        for caller in (web, till)
    ]
    answers = await asyncio.gather(*attempts)
    assert sorted(answer.status_code for answer in answers) == [200] + [409] * 29
    results = await check.run(database.dsn())
    assert not [result.name for result in results if result.violations]


async def test_two_step_payment_calls_complete_twice_are_one_use(web) -> None:
    code = await web.issue(kind="times", uses=2)
    await web.post(f"/{code}/reserve", reservation_id="pay-1")
    use = {"redemption_id": "u-1", "reservation_id": "pay-1"}
    first = await web.post(f"/{code}/redeem", **use)
    second = await web.post(f"/{code}/redeem", **use)
    assert first.json()["uses_redeemed"] == second.json()["uses_redeemed"] == 1


async def test_a_request_sent_again_gets_its_answer(web) -> None:
    first = await web.post("", again="same", **SOLD)
    second = await web.post("", again="same", **SOLD)
    assert second.json() == first.json()
    other = await web.post("", again="same", **SOLD | {"uses": 2})
    assert other.status_code == 422


async def test_a_use_held_for_a_checkout_is_refused_to_others_until_it_is_released(
    web, till
) -> None:
    code = await web.issue()
    await web.post(f"/{code}/reserve", reservation_id="c-1")
    refused = await till.post(f"/{code}/redeem", redemption_id="7")
    assert cause(refused) == "coupon_reserved"
    foreign = await till.post(f"/{code}/release", reservation_id="c-1")
    assert foreign.status_code == 409
    await web.post(f"/{code}/release", reservation_id="c-1")
    assert (await till.post(f"/{code}/redeem", redemption_id="7")).status_code == 200


async def test_a_reservation_that_expired_holds_nothing(web, till) -> None:
    code = await web.issue()
    await web.post(f"/{code}/reserve", reservation_id="c-1", ttl_s=1)
    await asyncio.sleep(1.1)
    assert (await till.post(f"/{code}/redeem", redemption_id="7")).status_code == 200


async def claimable(caller: Caller, writer, account: str) -> list[tuple[str, bool]]:
    """The coupons in the wallet of an account's member: (code, is_claimable)."""
    member = await writer.fetchval("select member_id from profiles where account = $1", account)
    url = f"/v1/members/{ids.text(member)}/coupons"
    answer = await caller.http.get(url, headers=caller.headers)
    return [(one["code"], one["is_claimable"]) for one in answer.json()["items"]]


@pytest.mark.parametrize("is_bound_first", [True, False])
async def test_a_guests_voucher_is_claimed_where_the_typed_phone_is_verified(
    web, mini, tell, writer, is_bound_first: bool
) -> None:
    """Bought on the web as guest; the same phone merely typed by someone else releases nothing."""
    shop = Shop("mini")

    def shows(account: str, proof: str) -> bytes:
        phone = {"type": "phone", "value": PHONE, "proof": proof}
        return shop.body("member.identified", 0, account=account, identifiers=[phone])

    bound = [shows("typist", "declared"), shows("owner", "verified")]
    if is_bound_first:
        await tell(*bound)
    code = await web.issue(recipient_phone="+86 13912345678", recipient_email="a@example.com")
    early = await mini.post(f"/{code}/redeem", redemption_id="0")
    assert cause(early) == "proof_missing"
    if not is_bound_first:
        await tell(*bound)
    assert await claimable(mini, writer, "owner") == [(code, True)]
    assert await claimable(mini, writer, "typist") == []
    for path, more in (("claim", {}), ("redeem", {"redemption_id": "1"})):
        refused = await mini.post(f"/{code}/{path}", account="typist", **more)
        assert cause(refused) == "proof_missing"
    claimed = await mini.post(f"/{code}/claim", account="owner")
    assert claimed.json()["status"] == "claimed"
    assert await claimable(mini, writer, "owner") == [(code, False)]
    taken = await mini.post(f"/{code}/redeem", account="typist", redemption_id="2")
    assert cause(taken) == "held_by_another"
    used = await mini.post(f"/{code}/redeem", account="owner", redemption_id="3")
    assert used.json()["status"] == "redeemed"


async def test_a_second_account_of_a_person_is_refused_a_coupon_of_one_use_a_person(
    web, mini, tell
) -> None:
    phone = {"type": "phone", "value": PHONE, "proof": "verified"}
    await tell(
        *(Shop(channel).body("member.identified", 0, account="a", identifiers=[phone])
          for channel in ("web", "mini"))
    )  # fmt: skip
    hello = {"kind": "discount", "paid_amount": None, "template": "hello"}
    hello |= {"terms": {"once_per_person": True}}
    first, second = [await caller.issue(**hello, account="a") for caller in (web, mini)]
    used = await web.post(f"/{first}/redeem", account="a", redemption_id="1")
    assert used.status_code == 200
    refused = await mini.post(f"/{second}/redeem", account="a", redemption_id="2")
    assert cause(refused) == "once_per_person"


async def test_a_card_of_several_uses_is_refunded_by_the_uses_left(web, till, tell) -> None:
    code = await web.issue(kind="times", uses=3, paid_amount="100.00")
    await till.post(f"/{code}/redeem", redemption_id="1")
    refunded = (await web.post(f"/{code}/refund", reason="moved away")).json()
    assert (refunded["status"], refunded["refunded"]) == ("refunded", "66.66")


async def test_a_coupon_is_claimed_once(web, mini) -> None:
    code = await web.issue(kind="discount", paid_amount=None)
    callers = [(web, "a"), (mini, "b"), (web, "c"), (mini, "d")]
    answers = await asyncio.gather(
        *(caller.post(f"/{code}/claim", account=account) for caller, account in callers)
    )
    assert sorted(answer.status_code for answer in answers) == [200, 409, 409, 409]


async def test_a_refund_applied_for_and_a_redemption_at_once_exactly_one_wins(web, till) -> None:
    for _ in range(5):
        code = await web.issue()
        answers = await asyncio.gather(
            web.post(f"/{code}/freeze", reason="refund applied for"),
            till.post(f"/{code}/redeem", redemption_id="7"),
        )
        assert sorted(answer.status_code for answer in answers) == [200, 409]
        refunded = await web.post(f"/{code}/refund")
        assert (refunded.status_code == 200) == (answers[0].status_code == 200)


async def test_a_refund_turned_down_lets_the_coupon_go_and_only_its_issuer_freezes(
    web, till
) -> None:
    code = await web.issue()
    assert cause(await till.post(f"/{code}/freeze")) == "issuer_alone"
    assert cause(await till.post(f"/{code}/refund")) == "issuer_alone"
    assert (await web.post(f"/{code}/freeze")).json()["status"] == "frozen"
    assert cause(await till.post(f"/{code}/redeem", redemption_id="7")) == "coupon_not_usable"
    assert cause(await till.post(f"/{code}/release")) == "issuer_alone"
    await web.post(f"/{code}/release")
    assert (await till.post(f"/{code}/redeem", redemption_id="7")).status_code == 200
    assert cause(await web.post(f"/{code}/refund")) == "not_possible"


async def test_a_platforms_coupon_is_decided_by_the_platform_alone(web, tell) -> None:
    data = {"code": "DY-1", "kind": "platform"}
    await tell(Shop("douyin").body("coupon.issued", 0, **data))
    refused = await web.post("/DY-1/redeem", redemption_id="1")
    assert cause(refused) == "platform_decides"


async def test_a_use_told_by_a_clock_that_runs_ahead_is_not_decided_away(web, tell) -> None:
    now = datetime.now(UTC)
    code = {"code": "CAKE-1"}
    ahead = Shop("store").body("coupon.redeemed", 0, **code, redemption_id="1")
    ahead = ahead.replace(
        b"2026-03-01T08:00:00+00:00", (now + timedelta(hours=1)).isoformat().encode()
    )
    issued = Shop("web").body("coupon.issued", 0, **code, kind="exchange")
    await tell(issued)
    await tell(ahead)
    assert cause(await web.post("/CAKE-1/redeem", redemption_id="2")) == "coupon_not_usable"


async def test_an_expired_coupon_is_refused_at_the_end_of_its_day_in_the_business_zone(web) -> None:
    yesterday = (datetime.now(UTC) - timedelta(days=2)).date().isoformat()
    code = await web.issue(valid_through=yesterday)
    refused = await web.post(f"/{code}/redeem", redemption_id="1")
    assert cause(refused) == "coupon_not_usable"
    answer = await web.http.get(f"/v1/coupons/{code}", headers=web.headers)
    until = datetime.fromisoformat(answer.json()["valid_until"])
    assert until.astimezone(UTC).hour == 16  # midnight in Shanghai


async def test_a_quote_names_what_stands_in_the_way(web) -> None:
    terms = {"minimum": "100.00", "percent_off": 15, "maximum": "20.00"}
    code = await web.issue(kind="discount", face_value=None, paid_amount=None, terms=terms)
    other = await web.issue(kind="discount", face_value="5.00", paid_amount=None)
    basket = {"currency": "CNY", "amount": "120.30"}

    async def quoted(**more: Any) -> tuple[str, list[str]]:
        worth = (await web.post(f"/{code}/quote", **basket | more)).json()
        return worth["amount"], worth["obstacles"]

    assert await quoted() == ("18.05", [])
    assert await quoted(amount="900") == ("20.00", [])
    assert await quoted(amount="99.99") == ("0.00", ["minimum_not_reached"])
    assert await quoted(others=[other]) == ("0.00", ["not_beside_the_others"])
    await web.post(f"/{code}/reserve", reservation_id="c-1")
    assert await quoted() == ("0.00", ["coupon_reserved"])


async def test_a_token_is_checked_offline_and_gives_one_use(web, mini, till) -> None:
    code = await web.issue(kind="times", uses=5)
    made = (await mini.post(f"/{code}/token", place="xuhui")).json()
    answer = await till.http.get("/v1/coupon-tokens/key", headers=till.headers)
    public = base64.urlsafe_b64decode(answer.json()["public_key"])
    token = coupon_tokens.verify(made["token"], public, "xuhui", datetime.now(UTC))
    assert (token.code, token.token_id) == (code, made["token_id"])
    use = {"token": made["token"], "place": "xuhui"}
    assert (await till.post(f"/{code}/redeem", redemption_id="1", **use)).status_code == 200
    again = await till.post(f"/{code}/redeem", redemption_id="2", **use)
    assert cause(again) == "coupon_not_usable"
    elsewhere = await web.post(f"/{code}/redeem", redemption_id="3", token=made["token"])
    assert cause(elsewhere) == "token_refused"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"paid_amount": "1.234"}, "paid_amount"),
        ({"paid_amount": "-1.00"}, "paid_amount"),
        ({"currency": None}, "currency"),
        ({"valid_through": "2026-02-30"}, "valid_through"),
        ({"valid_through": "9999-12-31"}, "valid_through"),
        ({"role": "admin"}, "role"),
        ({"kind": "platform"}, "kind"),
        ({"terms": {"on_expiry": "extend"}}, "terms.extension_days"),
    ],
)
async def test_a_wrong_value_is_named(web, body: dict[str, Any], field: str) -> None:
    answer = await web.post("", **SOLD | body)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == field


async def test_codes_nobody_knows_and_keys_that_may_not_are_refused(web, http, key_for) -> None:
    assert (await web.post("/NONE-1/redeem", redemption_id="1")).status_code == 404
    reader = Caller(http, await key_for("web", "coupons:read"), "1")
    assert (await reader.post("", **SOLD)).status_code == 403
    foreign = await web.post("", **SOLD, channel="mini")
    assert foreign.status_code == 403


async def test_transferred_to_a_friend_then_the_buyer_refunds_is_void_with_the_reason_kept(
    web, till, writer
) -> None:
    code = await web.issue(account="buyer")
    stolen = await web.post(f"/{code}/transfer", account="thief", to_account="thief")
    assert cause(stolen) == "held_by_another"
    given = await web.post(f"/{code}/transfer", account="buyer", to_account="friend")
    assert given.json()["status"] == "claimed"
    back = await web.post(f"/{code}/transfer", account="buyer", to_account="buyer")
    assert cause(back) == "held_by_another"
    assert (await web.post(f"/{code}/refund", reason="changed my mind")).json()[
        "status"
    ] == "voided"
    reason = await writer.fetchval("select reason from coupons where code = $1", code)
    assert reason == "the buyer was refunded after it was given away: changed my mind"
    assert cause(await till.post(f"/{code}/redeem", redemption_id="1")) == "coupon_not_usable"


async def test_a_gift_to_a_phone_is_usable_once_its_owner_has_proved_it(web, mini, tell) -> None:
    code = await web.issue(account="buyer")
    given = await web.post(f"/{code}/transfer", account="buyer", recipient_phone=PHONE)
    assert given.json()["status"] == "issued"
    refused = await mini.post(f"/{code}/redeem", account="friend", redemption_id="1")
    assert cause(refused) == "proof_missing"
    phone = {"type": "phone", "value": PHONE, "proof": "verified"}
    await tell(Shop("mini").body("member.identified", 0, account="friend", identifiers=[phone]))
    used = await mini.post(f"/{code}/redeem", account="friend", redemption_id="1")
    assert used.json()["status"] == "redeemed"


async def test_a_coupon_is_voided_by_its_issuer_alone_and_not_once_it_was_used(web, till) -> None:
    code, used = await web.issue(), await web.issue()
    assert cause(await till.post(f"/{code}/void")) == "issuer_alone"
    assert (await web.post(f"/{code}/void", reason="printed twice")).json()["status"] == "voided"
    assert cause(await till.post(f"/{code}/redeem", redemption_id="1")) == "coupon_not_usable"
    await till.post(f"/{used}/redeem", redemption_id="2")
    assert cause(await web.post(f"/{used}/void")) == "not_possible"
