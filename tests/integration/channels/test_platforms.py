"""Each pack against its platform's stand-in, through the API, a real broker and Postgres."""

import asyncio
import base64
import hmac
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import httpx
import pytest
from typer.testing import CliRunner, Result

from hub.channels import shipped
from hub.cli.channels import app
from hub.settings import Settings
from hub.testing import Database
from tests.event_maker import Shop, record
from tests.integration.channels.conftest import Hub
from tests.standins import doudian, own_systems, wechat, youzan
from tests.standins.platform import Platform, Push, api

PLATFORMS: dict[str, Callable[[], Platform]] = {
    "website": own_systems.website,
    "wechat_miniprogram": wechat.miniprogram,
    "wechat_shop": wechat.shop,
    "youzan": youzan.platform,
    "doudian": doudian.platform,
    "douyin_laike": own_systems.laike,
    "store_till": own_systems.till,
    "crm_generic": own_systems.crm,
    "erp_stock": own_systems.erp,
}


def test_every_shipped_pack_has_a_stand_in() -> None:
    assert set(PLATFORMS) == set(shipped.names())


@pytest.mark.parametrize("name", PLATFORMS)
async def test_a_pack_and_its_platform_understand_each_other(
    hub: Hub, name: str, changed: Callable[[Push], Push], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hub_api.platform_calls.TOKEN_PAUSE_S", 0.01)
    platform = PLATFORMS[name]()
    with api(platform.details) as running:
        settings = platform.settings | ({"api": running.url} if platform.details else {})
        given = {"pack": name, "settings": settings, "secrets": platform.secrets}
        answer = await hub.configure(name, **given)
        assert answer.status_code == 200, answer.text

        for trial in platform.trials:  # answered, and nothing comes of it
            answer = await hub.push(name, platform.shop, trial)
            assert (answer.status_code, answer.text) == (trial.status, trial.reply)

        pushes = platform.pushes()
        for push in pushes:
            answer = await hub.push(name, platform.shop, changed(push))
            assert answer.status_code in (400, 401), answer.text

        if platform.details:  # limited and failing: the platform is asked to push again
            running.failures += [429, 500, 302]
            for _ in range(3):
                answer = await hub.push(name, platform.shop, pushes[0])
                assert answer.status_code == 503, answer.text
                assert int(answer.headers["retry-after"]) > 0

        for push in [*pushes, *pushes]:  # at least once, as platforms promise
            answer = await hub.push(name, platform.shop, push)
            assert (answer.status_code, answer.text) == (push.status, push.reply), answer.text

    taken = await hub.read(2 * len(platform.types))
    tally = await hub.store(taken)
    assert [record.event.type for record in taken[: len(platform.types)] if record.event]
    assert (tally.dead_letters, tally.duplicates) == (0, len(platform.types))
    rows = await hub.rows("select type from log.events order by log_id")
    assert sorted(row["type"] for row in rows) == sorted([*platform.types, "config.published"])


@pytest.mark.parametrize("host", ["http://127.0.0.1", "https://127.0.0.1", "https://localhost"])
async def test_a_platform_that_is_said_to_be_inside_is_not_asked(
    hub: Hub, monkeypatch: pytest.MonkeyPatch, host: str
) -> None:
    monkeypatch.setattr(hub.app.state.resources.details, "_is_local_allowed", False)
    platform = PLATFORMS["doudian"]()
    with api(platform.details) as running:
        inside = running.url.replace("http://127.0.0.1", host)
        settings = platform.settings | {"api": inside}
        await hub.configure("live", pack="doudian", settings=settings, secrets=platform.secrets)
        answer = await hub.push("live", platform.shop, platform.pushes()[0])
    assert answer.status_code == 200
    assert running.asked == []
    (kept,) = await hub.rows("select reason_code, field from log.dead_letters")
    assert tuple(kept) == ("address_forbidden", "$.settings")


async def test_doudian_and_a_tier_scheme_are_added_to_a_running_hub_without_code_or_restart(
    hub: Hub,
) -> None:
    platform = doudian.platform()
    push = platform.pushes()[0]
    assert (await hub.push("live", platform.shop, push)).status_code == 404
    text = shipped.text("doudian").replace("version: 1\n", "version: 2\n", 1)
    uploaded = await hub.http.put(
        "/v1/channel-packs/doudian", json={"text": text, "reason": "we go live"}, headers=hub.admin
    )
    assert uploaded.json() == {"pack": "doudian", "version": 2, "samples": 4}
    with api(platform.details) as running:
        settings = platform.settings | {"api": running.url}
        await hub.configure("live", pack="doudian", settings=settings, secrets=platform.secrets)
        answer = await _until_found(hub, platform.shop, push)
        assert answer == platform.pushes()[0].reply
    taken = await hub.read(2)
    await hub.store(taken)
    member = Shop(hub.name("live"), platform.shop).body("member.registered", 0, account="dd-buyer")
    await hub.store([record(member)])
    await hub.store([record(scheme())])
    levels = await hub.rows("select level from member_tiers")
    assert [row["level"] for row in levels] == ["gold"]
    (order,) = await hub.rows("select order_number, total_minor, paid_minor from orders")
    assert tuple(order) == (str(doudian.PARENT), 18800, 18800)
    assert all(b'"pack":"doudian@2"' in record.body for record in taken if record.body)


async def _until_found(hub: Hub, shop: str, push: Push) -> str:
    """A channel is there within a second of its being configured."""
    async with asyncio.timeout(2):
        while True:
            answer = await hub.push("live", shop, push)
            if answer.status_code == 200:
                return answer.text
            assert answer.status_code == 404
            await asyncio.sleep(0.05)


SCHEME = {
    "basis": "growth",
    "levels": [{"name": "gold", "threshold": 100, "platform_levels": {"douyin": "3"}}],
}


def scheme() -> bytes:
    """The scheme as it is published, in force since before the events of these tests."""
    said = {"kind": "tier_scheme", "name": "club", "document": SCHEME, "reason": "-"}
    return Shop("hub").decision("config.published", -1_000, **said, event_id="scheme")


async def test_a_platform_that_asks_for_points_and_level_is_answered_at_once(hub: Hub) -> None:
    platform = own_systems.laike()
    name, shop = "laike", platform.shop
    given = {"settings": platform.settings, "secrets": platform.secrets}
    await hub.configure(name, pack=platform.pack, **given)
    unknown = own_systems.laike_push(
        "life_member_points", "q0", {"open_id": "o-1"}, '{"code":40402,"msg":"not a member"}'
    )
    join = own_systems.laike_push(
        "life_member_join",
        "j1",
        {"open_id": "o-1", "phone": "13912345678"},
        '{"code":0,"data":{"member_no":"o-1"}}',
    )
    for push in (unknown, join):
        answer = await hub.push(name, shop, push)
        assert (answer.status_code, answer.text) == (200, push.reply)
    await hub.store(await hub.read(1))
    source = Shop(hub.name(name), "main")
    earned = source.body("points.earned", 1, account="o-1", points=123)
    grown = source.body("member.growth_earned", 1, account="o-1", growth=150)
    await hub.store([record(earned), record(grown), record(scheme())])
    answer = await hub.push(name, shop, unknown)
    assert answer.json() == {"code": 0, "data": {"points": 12300, "level": "gold"}}


async def test_a_platform_that_asks_for_a_vouchers_state_is_answered_at_once(hub: Hub) -> None:
    platform = own_systems.laike()
    given = {"settings": platform.settings, "secrets": platform.secrets}
    await hub.configure("laike", pack=platform.pack, **given)
    asked = own_systems.laike_push("life_certificate_state", "q1", {"code": own_systems.LAIKE_CODE})
    answer = await hub.push("laike", platform.shop, asked)
    assert answer.json() == {"code": 40401, "msg": "no such code"}
    for push in platform.pushes():
        await hub.push("laike", platform.shop, push)
    await hub.store(await hub.read(2))
    answer = await hub.push("laike", platform.shop, asked)
    assert answer.json()["data"]["state"] == "redeemed"


@pytest.fixture
async def sold(hub: Hub) -> AsyncIterator[own_systems.LaikeVouchers]:
    """A voucher that 抖音来客 sold, and its API, which a live channel may call."""
    platform, counterpart = own_systems.laike(), own_systems.LaikeVouchers()
    with api(counterpart.details()) as running:
        settings = platform.settings | {"api": running.url}
        given = {"settings": settings, "secrets": platform.secrets}
        await hub.configure("laike", pack=platform.pack, **given)
        await hub.push("laike", platform.shop, platform.pushes()[0])
        await hub.store(await hub.read(1))
        yield counterpart


async def _counter(hub: Hub, step: str, request: str, **said: str) -> httpx.Response:
    """What a till of the stores asks for."""
    path = f"/v1/coupons/{own_systems.LAIKE_CODE}/{step}"
    body = {"channel": "till", "shop": "xuhui", "redemption_id": "X-7"} | said
    headers = hub.admin | {"Idempotency-Key": request}
    return await hub.http.post(path, json=body, headers=headers)


async def test_a_till_redeems_what_a_platform_sold_and_undoes_it(
    hub: Hub, sold: own_systems.LaikeVouchers
) -> None:
    answer = await _counter(hub, "redeem", "r1")
    assert (answer.status_code, answer.json()["status"]) == (200, "redeemed"), answer.text
    assert sold.uses == {own_systems.LAIKE_CODE: "X-7"}
    assert (await _counter(hub, "redeem", "r1")).json() == answer.json()
    assert (await _counter(hub, "redeem", "r2")).json()["status"] == "redeemed"
    other = await _counter(hub, "redeem", "r1", redemption_id="X-8")
    assert other.json()["type"] == "/problems/idempotency-key-reused"
    assert sold.calls == ["prepare", "verify"]
    rows = await hub.rows("select redemption_id, channel, place from coupon_redemptions")
    assert [tuple(row) for row in rows] == [("X-7", hub.name("laike"), "xuhui")]

    # The platform pushes its own report of it: the same use.
    report = {"code": own_systems.LAIKE_CODE, "verify_id": "X-7", "original_amount": 19800}
    await hub.push("laike", "main", own_systems.laike_push("life_certificate_verify", "v", report))
    await hub.store(await hub.read(1))
    assert len(await hub.rows("select from coupon_redemptions where is_accepted")) == 1

    undone = await _counter(hub, "reverse", "u1")
    assert (undone.status_code, undone.json()["status"]) == (200, "issued"), undone.text
    assert sold.uses == {}
    assert await hub.rows("select from cases") == []


async def test_an_answer_that_is_lost_is_asked_about_and_a_case_until_then(
    hub: Hub, sold: own_systems.LaikeVouchers
) -> None:
    sold.lost = ["verify"]
    answer = await _counter(hub, "redeem", "r1")
    assert (answer.status_code, answer.json()["type"]) == (503, "/problems/platform-silent")
    assert int(answer.headers["retry-after"]) > 0
    (case,) = await hub.rows("select kind, state from cases")
    assert tuple(case) == ("coupon_unanswered", "open")
    again = await _counter(hub, "redeem", "r1")
    assert (again.status_code, again.json()["status"]) == (200, "redeemed"), again.text
    assert sold.calls == ["prepare", "verify", "query"]
    assert [row["state"] for row in await hub.rows("select state from cases")] == ["closed"]


async def test_what_the_platform_refuses_is_refused_and_no_use(
    hub: Hub, sold: own_systems.LaikeVouchers
) -> None:
    sold.uses[own_systems.LAIKE_CODE] = "elsewhere"
    answer = await _counter(hub, "redeem", "r1")
    assert (answer.status_code, answer.json()["type"]) == (409, "/problems/refused")
    assert await hub.rows("select from coupon_redemptions") == []


SAMPLES = [
    {
        "body": '{"shopNo":"S1","list":[{"sn":"n-9","kind":3,"bill":"B-7","yuan":"168.0",'
        '"when":"2026/03/01 11:58","note":"红包"}]}',
        "answer": "SUCCESS",
    },
]
"""What was recorded of 糯米外卖, which nobody has heard of, with the secret `nuo`."""

FIRST_TRY = """
format: 1
pack: nuomi
version: 1
title: 糯米外卖
secrets: {signing: the shop's key}
signatures:
  - at: header:x-nuo-sign
    algorithm: hmac-sha1
    parts: ["{header.x-nuo-time}", "{body}"]
    join: "#"
    encoding: base64
envelope:
  batch: $.list
  id: $.sn
  type: $.kind | text
  time: $.when | time
reply: {status: 200, content_type: text/plain, body: SUCCESS}
time: {pattern: "%Y/%m/%d %H:%M", zone: Asia/Shanghai}
money: fen
events:
  - types: ["3"]
    emit:
      - type: order.paid
        subject: $.bill
        data: {order_number: $.bill, amount: $.yuan | money, currency: CNY, method: nuomi,
               payment_id: $.sn}
samples:
  - name: paid
    basis: documented
    secrets: {signing: [nuo]}
    request:
      shop: S1
      headers: {x-nuo-time: "1772337480", x-nuo-sign: "SIGN"}
      text: 'BODY'
    expect:
      reply: SUCCESS
      events:
        - id: n-9
          type: order.paid
          subject: B-7
          time: "2026-03-01T11:58:00+08:00"
          data: {order_number: B-7, amount: "168.00", currency: CNY, method: nuomi,
                 payment_id: n-9, extra: {note: 红包}}
"""


@pytest.fixture
def command(
    database: Database, broker: Settings, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Awaitable[Result]]:
    """`hub channel` in an environment of this hub, with what is typed."""
    for name, value in database.settings.environment().items():
        monkeypatch.setenv(name, value)

    async def run(*arguments: str, typed: str = "") -> Result:
        return await asyncio.to_thread(CliRunner().invoke, app, arguments, input=typed)

    return run


async def test_a_pack_for_a_platform_nobody_thought_of_is_written_from_its_samples_alone(
    hub: Hub, command: Callable[..., Awaitable[Result]], tmp_path: Path
) -> None:
    (sample,) = SAMPLES
    said = hmac.new(b"nuo", f"1772337480#{sample['body']}".encode(), "sha1").digest()
    sign = base64.b64encode(said).decode()
    file = tmp_path / "nuomi.yaml"
    assert (await command("new", str(file))).exit_code == 0
    # What is like no other platform is written over the copy, with the recorded push as its sample.
    text = FIRST_TRY.replace("SIGN", sign).replace("BODY", sample["body"])
    file.write_text(text, "utf-8")

    # The first try takes the amount for fen: the sample says what comes out, and why not.
    tried = await command("test", str(file))
    assert (tried.exit_code, "0 of 1 samples" in tried.stdout) == (1, True)
    assert "events[0].data.amount is '1.68', expected '168.00'" in tried.stdout
    apply = ("apply", hub.name("nuo"), "--file", str(file), "--reason", "new", "--state", "live")
    refused = await command(*apply, "--secret", "signing", typed="nuo\n")
    assert (refused.exit_code, "$.samples[0]" in refused.output) == (1, True)
    file.write_text(text.replace("money: fen", "money: yuan"), "utf-8")
    tried = await command("test", str(file))
    assert (tried.exit_code, tried.stdout) == (0, "1 of 1 samples are as they say\n")
    applied = await command(*apply, "--secret", "signing", typed="nuo\n")
    assert applied.exit_code == 0, applied.output

    push = Push(
        sample["body"].encode(),
        sample["answer"],
        {"X-Nuo-Time": "1772337480", "X-Nuo-Sign": sign},
    )
    answer = await hub.push("nuo", "S1", push)
    assert (answer.status_code, answer.text) == (200, "SUCCESS")
    (record,) = await hub.read(1)
    assert record.event is not None
    assert (record.event.type, record.event.subject) == ("order.paid", "B-7")
