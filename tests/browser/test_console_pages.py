"""What customer service sees in the console, on a real hub, in Chinese and in English.

One test, since all of it is one story: each step looks at what the one before made.
"""

import asyncio
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from hub import testing
from hub.store import apply, db, people
from hub.store.people import NewPerson
from hub.store.sealing import Vault
from hub.testing import wait_until
from hub_api.routes import console
from tests.browser.conftest import Looker
from tests.event_maker import Shop, at, line, record

pytestmark = pytest.mark.skipif(
    not (console.BUILT / "index.html").is_file(), reason="the console is not built: make env"
)
ROOT = Path(console.BUILT).parents[1]
PATIENCE_S = 60
PASSWORD = "a long enough password"
PHONE = "+8613912345678"
WEB, MINI = Shop("website", "main"), Shop("miniprogram", "main")


@pytest.fixture(scope="module")
def address(chromium: str) -> Iterator[str]:
    """A running API on a Postgres and a Kafka of their own, with a customer and a case in it."""
    with testing.database() as database:
        brokers = testing.shared_kafka().kafka_brokers
        settings = database.settings.model_copy(update={"kafka_brokers": brokers})
        asyncio.run(_begin(database))
        port = testing.free_port()
        process = subprocess.Popen(
            [sys.executable, "-m", "uvicorn", "--factory", "hub_api.app:create_app",
             "--port", str(port), "--no-access-log"],
            cwd=ROOT, env=os.environ | settings.environment(), stdout=subprocess.DEVNULL,
        )  # fmt: skip
        try:
            found = f"http://127.0.0.1:{port}"
            wait_until(lambda: _answers(found), "the API answers", PATIENCE_S)
            yield found
        finally:
            process.terminate()
            process.wait(PATIENCE_S)


async def _begin(database: testing.Database) -> None:
    proof = {"type": "phone", "value": PHONE, "proof": "verified"}
    cake = line(1, "CAKE-6", 1, "168.00")
    sold: dict[str, Any] = {
        "order_number": "W-2026-0001", "buyer": {"account": "w1"}, "currency": "CNY",
        "lines": [cake], "total": "168.00", "place": "xuhui",
    }  # fmt: skip
    paid = {"order_number": "W-2026-0001", "amount": "168.00", "currency": "CNY"}
    bodies = [
        WEB.body("item.upserted", 0, sku="CAKE-6", name="草莓生日蛋糕 6 寸"),
        WEB.body("place.upserted", 0, place="xuhui", name="徐汇店", kind="store"),
        WEB.body("stock.counted", 1, sku="CAKE-6", place="xuhui", quantity="12",
                 measured_at=at(1).isoformat()),
        WEB.body("member.registered", 1, account="w1", identifiers=[proof], name="王芳"),
        MINI.body("member.registered", 2, account="m1", identifiers=[proof], name="王芳"),
        MINI.body("member.consent_changed", 3, account="m1", purpose="marketing",
                  medium="sms", granted=True),
        WEB.body("order.placed", 4, **sold),
        WEB.body("order.paid", 5, **paid, method="card", payment_id="p-1"),
        WEB.body("order.completed", 9, order_number="W-2026-0001"),
        WEB.body("coupon.issued", 6, code="CAKE-1", kind="exchange", account="w1"),
        MINI.body("coupon.redeemed", 7, code="CAKE-1", redemption_id="r1"),
        WEB.body("coupon.redeemed", 8, code="CAKE-1", redemption_id="r2"),
    ]  # fmt: skip
    connection: Any = await db.connect(database.dsn("owner"))
    try:
        vault = Vault(database.settings.secret())
        async with connection.transaction():
            await apply.apply(connection, vault, [record(body) for body in bodies], "cluster")
        await people.add(connection, NewPerson("li.lei", "李雷", "service"), PASSWORD, "cli:test")
    finally:
        await connection.close()


def _answers(address: str) -> bool:
    try:
        return httpx.get(f"{address}/healthz").status_code == 200
    except httpx.TransportError:
        return False


@pytest.fixture
def pages(address: str, browser: Browser) -> Iterator[Looker]:
    page = browser.new_page(locale="zh-CN", viewport={"width": 1440, "height": 900})
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("console", lambda said: faults.append(said.text) if said.type == "error" else None)
    yield Looker(page, address)
    page.close()
    # A browser notes each refused request; the ones meant here are of who is not logged in.
    assert [fault for fault in faults if "401" not in fault] == []


def test_a_complaint_is_solved_from_the_phone_number_alone(pages: Looker) -> None:
    page = pages.open("/console/")
    sees(pages, "商务数据中台", "登录")
    look(pages, "login")
    log_in(page)
    sees(pages, "查找", "待办")
    look(pages, "find")
    the_member_is_found_by_phone(pages)
    the_balance_explains_itself(pages)
    the_objects_show_their_path(pages)
    the_case_is_settled(pages)
    all_of_it_is_there_in_english(pages)


def sees(pages: Looker, *texts: str) -> None:
    pages.sees(*texts, timeout_s=PATIENCE_S)


def look(pages: Looker, name: str) -> None:
    pages.fits(f"console-{name}")


def log_in(page: Page) -> None:
    page.get_by_label("用户名").fill("li.lei")
    page.get_by_label("密码").fill(PASSWORD)
    page.get_by_label("密码").press("Enter")


def search(page: Page, label: str, text: str) -> None:
    box = page.get_by_label(label)
    box.wait_for(timeout=PATIENCE_S * 1000)
    box.fill(text)
    box.press("Enter")


BOX = "要找什么"


def the_member_is_found_by_phone(pages: Looker) -> None:
    search(pages.page, BOX, "139 1234 5678")
    sees(pages, "会员画像", "所有渠道的订单", "W-2026-0001", "CAKE-1", "身份与证明", "已验证")
    assert not re.search(r"1234.{0,3}5678", pages.page.url)
    assert PHONE not in pages.page.content()
    look(pages, "member")


def the_balance_explains_itself(pages: Looker) -> None:
    pages.page.get_by_role("button", name="为什么是这个余额").click()
    expect(pages.page.get_by_text(re.compile("^余额 168 = 可用 168 − 欠分 0"))).to_be_visible(
        timeout=PATIENCE_S * 1000
    )
    sees(pages, "对应订单")
    look(pages, "member-points")


def the_objects_show_their_path(pages: Looker) -> None:
    page = pages.page
    page.get_by_role("link", name="W-2026-0001").click()
    sees(pages, "订单 W-2026-0001", "跨系统全过程", "付款", "草莓生日蛋糕 6 寸")
    look(pages, "order")
    page.get_by_role("link", name="草莓生日蛋糕 6 寸").click()
    sees(pages, "徐汇店", "可售")
    look(pages, "item")
    page.get_by_role("link", name="查找").click()
    search(page, BOX, "没有这个")
    sees(pages, "没有找到。请检查是否输错,或换一个号码再试。")
    search(page, BOX, "cake-1")
    sees(pages, "券 CAKE-1", "不成立")
    look(pages, "coupon")


def the_case_is_settled(pages: Looker) -> None:
    page = pages.page
    page.get_by_role("link", name="待办").click()
    sees(pages, "核销未被承认")
    look(pages, "work")
    page.get_by_role("link", name="核销未被承认").click()
    sees(pages, "关于什么", "了结此事项")
    look(pages, "case")
    panel = page.locator("section").filter(has=page.get_by_role("button", name="了结此事项"))
    panel.get_by_label("处理方式").click()
    page.get_by_title("核实无误").click()
    panel.get_by_label("原因(必填)").fill("门店重复扫码,顾客只取了一个蛋糕")
    panel.get_by_role("button", name="了结此事项").click()
    sees(pages, "已了结", "门店重复扫码,顾客只取了一个蛋糕", "person:li.lei")
    look(pages, "case-settled")
    page.get_by_role("link", name="待办").first.click()
    sees(pages, "没有待处理的事项")


def all_of_it_is_there_in_english(pages: Looker) -> None:
    page = pages.page
    page.get_by_role("button", name="English").click()
    sees(pages, "Work queue", "Nothing needs a person")
    page.get_by_role("link", name="Find").click()
    search(page, "What to find", "+86 139-1234-5678")
    sees(pages, "Member", "Orders of all channels", "Identities and proof", "proved")
    page.get_by_role("button", name="Why this balance").click()
    sees(pages, "Its order")
    look(pages, "member-english")
    page.get_by_role("button", name="Undo the merge").click()
    sees(pages, "After this they are these members again:", "website w1", "mini-program m1")
    look(pages, "undo-english")
    page.get_by_role("dialog").get_by_label("Reason (needed)").fill("two sisters with one phone")
    page.get_by_role("button", name="Undo it").click()
    sees(pages, "Done")
    page.get_by_role("link", name="Find").click()
    search(page, "What to find", PHONE)
    expect(page.locator(".row").filter(has_text="phone")).to_have_count(
        2, timeout=PATIENCE_S * 1000
    )
    look(pages, "found-english")
    page.get_by_role("button", name="Log out").click()
    sees(pages, "Log in", "Password")
    look(pages, "login-english")
