"""The website and the mini-program as their customers use them, on a hub with all its services:
what is bought in one is known to the other at once."""

from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from playwright.sync_api import Browser, Locator, expect

from hub import testing
from hub.local import samples
from hub.local.supervisor import Supervisor
from tests.browser.conftest import Looker

pytestmark = pytest.mark.timeout(600)
PARTS = ("postgres", "migrations", "kafka", "topics", "worker", "deliveries", "api")
START_TIMEOUT_S = 180
PATIENCE_MS = 30_000
PHONE = "13912345678"
LYCHEE_AT_BUND = "cake-lychee-rose-6@bund"
BLACKFOREST_AT_BUND = "cake-blackforest-8@bund"


@pytest.fixture(scope="module")
def addresses(chromium: str) -> Iterator[dict[str, str]]:
    with ExitStack() as stack:
        settings = stack.enter_context(testing.own_settings(local_receivers=True))
        started = stack.enter_context(Supervisor(settings, only=PARTS))
        started.wait_ready(timeout_s=START_TIMEOUT_S)
        yield stack.enter_context(samples.running(settings))


@pytest.fixture
def website(addresses: dict[str, str], browser: Browser) -> Iterator[Looker]:
    yield from looking(browser, addresses["website"], 1440)


@pytest.fixture
def miniprogram(addresses: dict[str, str], browser: Browser) -> Iterator[Looker]:
    yield from looking(browser, addresses["miniprogram"], 390)


def looking(browser: Browser, address: str, width: int) -> Iterator[Looker]:
    context = browser.new_context(locale="zh-CN", viewport={"width": width, "height": 844})
    page = context.new_page()
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    yield Looker(page, address)
    context.close()
    assert faults == []


def test_the_last_cake_bought_on_one_is_gone_on_the_other_before_anybody_looks_again(
    website: Looker, miniprogram: Looker
) -> None:
    log_in(miniprogram, "林小满")
    website.open("/")
    expect(stock(website, BLACKFOREST_AT_BUND)).to_contain_text("余 3 个", timeout=PATIENCE_MS)
    count(website, "黑森林蛋糕 8 寸", "1")
    expect(stock(miniprogram, BLACKFOREST_AT_BUND)).to_contain_text("余 1 个", timeout=PATIENCE_MS)
    buy(website, BLACKFOREST_AT_BUND)
    expect(stock(miniprogram, BLACKFOREST_AT_BUND)).to_contain_text("没有了", timeout=PATIENCE_MS)
    expect(stock(miniprogram, BLACKFOREST_AT_BUND).get_by_role("button")).to_be_disabled()
    miniprogram.keep("sample-sold-out")
    website.page.get_by_role("button", name="不要了").click()
    expect(stock(miniprogram, BLACKFOREST_AT_BUND)).to_contain_text("余 1 个", timeout=PATIENCE_MS)


def test_a_voucher_bought_on_the_website_is_a_cake_picked_up_by_the_mini_program(
    website: Looker, miniprogram: Looker
) -> None:
    website.open("/")
    website.page.get_by_label("收券人手机号").fill(PHONE)
    website.page.get_by_role("button", name="购买蛋糕券").click()
    code = website.page.locator(".sold .code").inner_text(timeout=PATIENCE_MS)
    website.sees("未使用")
    log_in(miniprogram, "王小明")
    page = miniprogram.page
    page.get_by_role("tab", name="会员中心").click()
    page.get_by_label("手机号").fill(PHONE)
    page.get_by_role("button", name="授权手机号").click()
    page.get_by_text("已绑定手机").wait_for()
    page.get_by_role("tab", name="卡包").click()
    miniprogram.sees(code, "待领取")
    page.get_by_role("button", name="领取").click()
    miniprogram.sees("可使用")
    page.get_by_role("button", name="出示给店员").click()
    expect(page.locator(".token")).not_to_be_empty()
    miniprogram.keep("sample-wallet")
    page.get_by_role("tab", name="蛋糕").click()
    stock(miniprogram, LYCHEE_AT_BUND).get_by_role("button").click()
    page.get_by_label(code).check()
    page.get_by_role("button", name="提交订单 ¥0.00").click()
    miniprogram.keep("sample-basket")
    page.get_by_role("button", name="确认兑换").click()
    page.get_by_text("下单成功").wait_for()
    page.get_by_role("tab", name="工作台").click()
    page.get_by_role("button", name="交货").first.click()
    page.get_by_text("已取货").first.wait_for()
    website.page.get_by_role("button", name="查询状态").click()
    website.sees("已使用")
    page.get_by_role("tab", name="会员中心").click()
    miniprogram.sees("小程序")
    the_member_center_is_whole(miniprogram)


def the_member_center_is_whole(miniprogram: Looker) -> None:
    page = miniprogram.page
    miniprogram.comes_to_see("/", "王小明", PATIENCE_MS / 1000)
    page.get_by_role("tab", name="会员中心").click()
    page.get_by_text("已取货").wait_for()
    page.get_by_label("接收优惠消息").check()
    miniprogram.keep("sample-member", is_whole=True)
    page.get_by_role("button", name="注销会员").click()
    page.get_by_text("份删除证明").wait_for()
    miniprogram.sees("微信登录")


def log_in(miniprogram: Looker, nickname: str) -> None:
    miniprogram.open("/")
    miniprogram.page.get_by_label("微信昵称").fill(nickname)
    miniprogram.page.get_by_role("button", name="登录").click()
    miniprogram.sees("今天有什么")


def stock(shop: Looker, where: str) -> Locator:
    return shop.page.locator(f"[data-stock='{where}']")


def count(website: Looker, cake: str, quantity: str) -> None:
    desk = website.page.locator("#desk")
    desk.get_by_label("蛋糕").select_option(cake)
    desk.get_by_label("盘点数量").fill(quantity)
    desk.get_by_role("button", name="记下盘点").click()
    website.sees("盘点已告诉中台")


def buy(website: Looker, where: str) -> None:
    expect(stock(website, where)).to_contain_text("余 1 个", timeout=PATIENCE_MS)
    stock(website, where).get_by_role("button").click()
    form = website.page.locator("#order")
    form.get_by_label("取货人").fill("陈晨")
    form.get_by_label("手机号").fill("13700000001")
    form.get_by_role("button", name="提交订单").click()
    website.page.get_by_text("已为您留货 15 分钟").wait_for()
    website.keep("sample-website")
