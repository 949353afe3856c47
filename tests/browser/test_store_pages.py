"""The counter of a store on clerks' phones, and the board of stock, on a hub with all its services:
two phones at one voucher, a line that breaks, figures that change by themselves."""

import asyncio
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from hub import testing
from hub.local.supervisor import Supervisor
from hub.settings import Settings
from hub.store import apply, db, people
from hub.store.people import NewPerson
from hub.store.sealing import Vault
from hub_api.routes import console
from tests.browser.conftest import Looker
from tests.event_maker import START, Shop, at, line, record

pytestmark = [
    pytest.mark.timeout(600),
    pytest.mark.skipif(
        not (console.BUILT / "index.html").is_file(), reason="the console is not built: make env"
    ),
]
PARTS = ("postgres", "migrations", "kafka", "topics", "worker", "api")
START_TIMEOUT_S = 180
PATIENCE_MS = 30_000
OF_ANOTHER_MOMENT_MS = 1_100
PASSWORD = "a long enough password"
WEB, MINI = Shop("website", "main"), Shop("miniprogram", "main")
CLERKS = {"wang": "bund", "zhao": "hongqiao"}


@pytest.fixture(scope="module")
def settings(chromium: str) -> Iterator[Settings]:
    """A running hub with two clerks and an operator, two vouchers and two orders that wait."""
    with ExitStack() as stack:
        settings = stack.enter_context(testing.own_settings())
        started = stack.enter_context(Supervisor(settings, only=PARTS))
        started.wait_ready(timeout_s=START_TIMEOUT_S)
        asyncio.run(_begin(settings))
        yield settings


@pytest.fixture(scope="module")
def address(settings: Settings) -> str:
    return f"http://127.0.0.1:{settings.api_port}"


async def _begin(settings: Settings) -> None:
    today = (datetime.now(UTC) - START - timedelta(hours=1)).total_seconds() / 60
    voucher = {"kind": "exchange", "account": "w1", "face_value": "198.00", "currency": "CNY"}
    bodies = [
        WEB.body("item.upserted", 0, sku="CAKE-6", name="荔枝玫瑰生日蛋糕 6 寸"),
        WEB.body("coupon.issued", 1, code="CAKE-A", **voucher),
        WEB.body("coupon.issued", 1, code="CAKE-B", **voucher),
        *_sold(WEB, "W-1", "bund", today),
        *_sold(MINI, "M-1", "hongqiao", today),
    ]
    await _take(settings, *bodies)
    connection: Any = await db.connect(settings.dsn("owner"))
    try:
        everybody = [NewPerson(login, "王芳", "clerk", place) for login, place in CLERKS.items()]
        for person in (*everybody, NewPerson("han.mei", "韩梅", "operator")):
            await people.add(connection, person, PASSWORD, "cli:test")
    finally:
        await connection.close()


async def _take(settings: Settings, *bodies: bytes) -> None:
    """Store events as the streams do."""
    connection: Any = await db.connect(settings.dsn("owner"))
    try:
        records = [record(body, now=datetime.now(UTC)) for body in bodies]
        async with connection.transaction():
            await apply.apply(connection, Vault(settings.secret()), records, "cluster")
    finally:
        await connection.close()


def tell(settings: Settings, *bodies: bytes) -> None:
    """The same while a browser is open, which has this thread's event loop."""
    with ThreadPoolExecutor(1) as other:
        other.submit(asyncio.run, _take(settings, *bodies)).result()


def _sold(shop: Shop, number: str, place: str, minute: float) -> list[bytes]:
    order: dict[str, Any] = {
        "order_number": number, "currency": "CNY", "total": "198.00", "place": place,
        "buyer": {"account": "w1"}, "lines": [line(1, "CAKE-6", 1, "198.00")],
    }  # fmt: skip
    paid = {"order_number": number, "amount": "198.00", "currency": "CNY"}
    return [
        shop.body("order.placed", minute, **order),
        shop.body("order.paid", minute + 1, **paid, method="wx", payment_id=f"p-{number}"),
    ]


def log_in(looker: Looker, login: str, locale: str = "zh-CN") -> Page:
    page = looker.open("/console/")
    name, password = ("Name", "Password") if locale == "en-GB" else ("用户名", "密码")
    page.get_by_label(name).fill(login)
    page.get_by_label(password).fill(PASSWORD)
    page.get_by_label(password).press("Enter")
    return page


class Phone:
    """A clerk's phone, logged in and at the counter."""

    def __init__(self, browser: Browser, address: str, login: str, locale: str) -> None:
        self.context = browser.new_context(locale=locale, viewport={"width": 390, "height": 844})
        self.looker = Looker(self.context.new_page(), address)
        self.page = log_in(self.looker, login, locale)
        self.sees(CLERKS[login])

    def sees(self, *texts: str) -> None:
        self.looker.sees(*texts)

    def shows(self, text: str) -> None:
        """Scan it, as a scanner types."""
        box = self.page.locator(".ant-input-search input")
        box.fill(text)
        box.press("Enter")

    def is_told(self, yes: str) -> bool:
        """Whether the hub says yes; waits until it says something."""
        done = self.page.get_by_text(yes, exact=True)
        done.or_(self.page.locator(".ant-alert-error")).first.wait_for(timeout=PATIENCE_MS)
        return done.is_visible()

    def button(self, name: str) -> Locator:
        return self.page.get_by_role("button", name=name, exact=True)


@pytest.fixture
def phones(address: str, browser: Browser) -> Iterator[tuple[Phone, Phone]]:
    bund = Phone(browser, address, "wang", "zh-CN")
    hongqiao = Phone(browser, address, "zhao", "en-GB")
    yield bund, hongqiao
    for phone in (bund, hongqiao):
        phone.context.close()


def test_a_morning_at_two_counters(phones: tuple[Phone, Phone]) -> None:
    bund, hongqiao = phones
    two_phones_redeem_one_voucher(bund, hongqiao)
    a_voucher_is_redeemed_while_the_line_is_down(bund, hongqiao)
    an_order_is_handed_over_after_a_moment_to_think(bund)
    another_stores_order_is_told_of(bund)


def two_phones_redeem_one_voucher(bund: Phone, hongqiao: Phone) -> None:
    for phone in (bund, hongqiao):
        phone.shows(" cake-a ")
    bund.sees("可以在本店使用")
    hongqiao.sees("It may be used here")
    bund.looker.fits("counter-coupon")
    bund.button("核销").click(no_wait_after=True)
    hongqiao.button("Redeem").click(no_wait_after=True)
    told = [bund.is_told("已核销"), hongqiao.is_told("Redeemed")]
    assert sorted(told) == [False, True]
    winner, loser = (bund, hongqiao) if told[0] else (hongqiao, bund)
    winner.button("撤销" if winner is bund else "Undo").click()
    winner.sees("可以在本店使用" if winner is bund else "It may be used here")
    loser.button("重新查看" if loser is bund else "Look again").click()
    loser.button("核销" if loser is bund else "Redeem").click()
    assert loser.is_told("已核销" if loser is bund else "Redeemed")
    winner.shows("CAKE-A")
    winner.sees("已经用完" if winner is bund else "It is used up")
    winner.looker.fits("counter-used")


def a_voucher_is_redeemed_while_the_line_is_down(bund: Phone, hongqiao: Phone) -> None:
    for phone in (bund, hongqiao):
        phone.context.set_offline(True)
        phone.shows("CAKE-B")
    bund.sees("现在连不上中台")
    bund.button("先登记核销").click()
    bund.sees("已登记,恢复连接后自动上报。", "待上报")
    bund.looker.fits("counter-offline")
    bund.page.wait_for_timeout(OF_ANOTHER_MOMENT_MS)
    hongqiao.button("Note the use").click()
    bund.context.set_offline(False)
    expect(bund.page.get_by_text("待上报", exact=True)).to_have_count(0, timeout=PATIENCE_MS)
    bund.shows("CAKE-B")
    bund.sees("已经用完")
    hongqiao.context.set_offline(False)
    hongqiao.sees("not accepted")
    hongqiao.looker.fits("counter-refused")
    hongqiao.button("I saw it").click()
    expect(hongqiao.page.get_by_text("not accepted")).to_have_count(0, timeout=PATIENCE_MS)


def an_order_is_handed_over_after_a_moment_to_think(bund: Phone) -> None:
    bund.sees("W-1")
    bund.button("交付").click()
    bund.button("撤销").click()
    expect(bund.button("交付")).to_be_enabled()
    bund.button("交付").click()
    bund.sees("没有等待自提的订单")
    bund.shows("w-1")
    bund.sees("已经交付")


def another_stores_order_is_told_of(bund: Phone) -> None:
    bund.shows("M-1")
    bund.page.get_by_text("在别的门店取: hongqiao").wait_for(timeout=PATIENCE_MS)
    bund.looker.fits("counter-other-store")
    bund.page.reload()
    bund.sees("门店柜台", "没有等待自提的订单")


def test_the_board_of_stock_changes_by_itself(
    settings: Settings, address: str, browser: Browser
) -> None:
    tell(settings, _counted("BREAD", "bund", "4"), _counted("CAKE-6", "bund", "9"))
    looker = Looker(browser.new_page(locale="zh-CN"), address)
    page = log_in(looker, "han.mei")
    page.get_by_role("link", name="库存", exact=True).click()
    looker.sees(
        "库存推送到谁", "还没有渠道订阅库存。渠道用自己的密钥订阅 stock.changed 后出现在这里。"
    )
    bread = page.locator(".row").filter(has_text="BREAD")
    expect(bread.locator(".number")).to_have_text("4", timeout=PATIENCE_MS)
    order: dict[str, Any] = {
        "order_number": "B-1", "currency": "CNY", "total": "5.00", "place": "bund",
        "lines": [line(1, "BREAD", 5, "1.00")],
    }  # fmt: skip
    tell(settings, WEB.body("order.placed", 10, **order))
    expect(bread.locator(".number")).to_have_text("-1", timeout=PATIENCE_MS)
    expect(bread).to_have_class(re.compile("fresh"))
    looker.fits("stock-board")
    page.get_by_label("只看无货的").check()
    cake = page.locator(".row").filter(has_text="荔枝玫瑰").filter(has_text="bund")
    expect(cake).to_have_count(0, timeout=PATIENCE_MS)
    bread.get_by_text("超卖").click()
    looker.sees("关于什么")
    page.context.close()


def _counted(sku: str, place: str, quantity: str) -> bytes:
    measured_at = at(5).isoformat()
    return WEB.body(
        "stock.counted", 5, sku=sku, place=place, quantity=quantity, measured_at=measured_at
    )
