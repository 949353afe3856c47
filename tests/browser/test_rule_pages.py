"""A sync rule built in the console, on a hub with all its services: by drag and drop, checked,
tried on a real event, dry-run, published, seen to run and to reach the sample mini-program; and a
record that could not be taken, sent again."""

import asyncio
import re
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from confluent_kafka import Producer
from playwright.sync_api import Browser, Locator, Page, expect

from hub import testing
from hub.domain import topics
from hub.local import samples
from hub.local.supervisor import Supervisor
from hub.settings import Settings
from hub.store import db, keys, people
from hub.store.keys import NewKey
from hub.store.people import NewPerson
from hub.testing import wait_until
from hub_api.routes import console
from tests.browser.conftest import Looker
from tests.event_maker import Shop, line

pytestmark = [
    pytest.mark.timeout(600),
    pytest.mark.skipif(
        not (console.BUILT / "index.html").is_file(), reason="the console is not built: make env"
    ),
]
WEB = Shop("website")
SETTLED_MS = 500
"""The canvas fits itself to what is on it, by a movement that a person waits for as well."""
PARTS = ("postgres", "migrations", "kafka", "topics", "worker", "rules", "deliveries", "api")
START_TIMEOUT_S = 180
PATIENCE_S = 60
PASSWORD = "a long enough password"


class Hub:
    """A running hub, and the website that sells in it."""

    def __init__(self, settings: Settings, token: str, miniprogram: str) -> None:
        self.address = f"http://127.0.0.1:{settings.api_port}"
        self.miniprogram = miniprogram
        self._headers = {"Authorization": f"Bearer {token}"}
        self._brokers = settings.brokers

    def garble(self) -> None:
        """Somebody writes into the topic what the API would have refused."""
        producer = Producer({"bootstrap.servers": self._brokers})
        producer.produce(topics.ORDERS, WEB.body("order.exploded", 1), b"W-0")
        assert producer.flush(PATIENCE_S) == 0

    def sell(self, number: str) -> None:
        """An order of the website; returns when the hub has it."""
        event = {
            "specversion": "1.0", "id": f"placed-{number}", "type": "order.placed",
            "source": "/channels/website/shops/main", "subject": number,
            "time": datetime.now(UTC).isoformat(),
            "data": {"order_number": number, "currency": "CNY", "total": "168.00",
                     "lines": [line(1, "CAKE-6", 1, "168.00")]},
        }  # fmt: skip
        path = f"{self.address}/v1/channels/website/events"
        answer = httpx.post(path, headers=self._headers, json=event)
        assert answer.status_code == 202, answer.text
        fate = self.address + answer.json()["events"][0]["status_url"]
        wait_until(
            lambda: httpx.get(fate, headers=self._headers).json().get("state") == "applied",
            f"order {number} is applied",
            PATIENCE_S,
        )


@pytest.fixture(scope="module")
def hub(chromium: str) -> Iterator[Hub]:
    with ExitStack() as stack:
        settings = stack.enter_context(testing.own_settings(local_receivers=True))
        started = stack.enter_context(Supervisor(settings, only=PARTS))
        started.wait_ready(timeout_s=START_TIMEOUT_S)
        token = asyncio.run(_begin(settings))
        programs = samples.running(settings, {"miniprogram": "mini-program"})
        found = Hub(settings, token, stack.enter_context(programs)["miniprogram"])
        found.sell("W-1")
        yield found


async def _begin(settings: Settings) -> str:
    connection: Any = await db.connect(settings.dsn("owner"))
    try:
        await people.add(connection, NewPerson("han.mei", "韩梅", "operator"), PASSWORD, "cli:test")
        return await keys.create(connection, NewKey("a test", ("events:write",), "website"))
    finally:
        await connection.close()


@pytest.fixture
def pages(hub: Hub, browser: Browser) -> Iterator[Looker]:
    page = browser.new_page(locale="zh-CN", viewport={"width": 1440, "height": 900})
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("console", lambda said: faults.append(said.text) if said.type == "error" else None)
    yield Looker(page, hub.address)
    page.close()
    # A browser notes each refusal: not logged in, nothing published yet, a draft with mistakes.
    refusals = re.compile(r"status of (401|404|422)")
    assert [fault for fault in faults if not refusals.search(fault)] == []


def test_a_rule_is_built_by_drag_and_drop_tried_published_and_runs(pages: Looker, hub: Hub) -> None:
    page = log_in(pages)
    page.get_by_label("规则名称").fill("orders-to-both")
    page.get_by_role("button", name="开始搭建").click()
    the_canvas_is_filled_by_dragging(pages)
    a_field_is_mapped_by_dragging(pages)
    the_same_document_is_a_form_and_yaml(pages)
    it_is_tried_and_published(pages)
    hub.sell("W-2")
    the_mini_program_was_told(hub, "W-2")
    page.get_by_role("tab", name="运行记录").click()
    page.get_by_role("button", name="查看").first.click()
    sees(pages, "逐步过程", "产生的动作")
    look(pages, "rule-runs")
    page.get_by_role("link", name="下发", exact=True).click()
    page.locator(".ant-segmented-item").filter(has_text="已送达").click()
    page.get_by_role("button", name="详情").first.click()
    expect(page.get_by_text("W-2").first).to_be_visible(timeout=PATIENCE_S * 1000)
    look(pages, "deliveries-told")
    page.go_back()
    page.get_by_role("tab", name="版本").click()
    sees(pages, "与门店确认")
    page.get_by_role("button", name="暂停").click()
    page.get_by_role("dialog").get_by_label("原因(必填)").fill("盘点")
    page.get_by_role("dialog").get_by_role("button", name="暂停").click()
    sees(pages, "已暂停 · 版本 2")
    look(pages, "rule-versions")
    page.get_by_role("link", name="规则").first.click()
    sees(pages, "全部规则", "orders-to-both", "已暂停")
    look(pages, "rules")
    a_dead_letter_is_sent_again(pages, hub)


def a_dead_letter_is_sent_again(pages: Looker, hub: Hub) -> None:
    page = pages.page
    page.get_by_role("link", name="死信").click()
    sees(pages, "没有待处理的死信")
    hub.garble()
    page.reload()
    pages.comes_to_see("/console/dead-letters", "type 'order.exploded' is not known", PATIENCE_S)
    sees(pages, "类型未知")
    look(pages, "dead-letters")
    # Its bytes may be personal: not for this role.
    assert page.get_by_role("button", name="查看内容").count() == 0
    page.get_by_role("button", name="重新处理").click()
    page.locator(".ant-segmented-item").filter(has_text="已重新处理").click()
    expect(page.get_by_text(re.compile("person:han.mei 于"))).to_be_visible()


def the_canvas_is_filled_by_dragging(pages: Looker) -> None:
    page = pages.page
    node(page, "触发").click()
    choose(page, "事件", "order.placed")
    deliver = page.get_by_role("button", name="下发到渠道", exact=True)
    page.wait_for_timeout(SETTLED_MS)
    deliver.drag_to(node(page, "触发"))
    expect(node(page, "下发到渠道 官网")).to_be_visible()
    pane = page.locator(".react-flow__pane")
    deliver.drag_to(pane, target_position={"x": 60, "y": 380})
    loose = page.locator(".card-loose")
    expect(loose).to_be_visible()
    page.wait_for_timeout(SETTLED_MS)
    first = page.locator(".card-action:not(.card-loose)").first
    drag(page, first.locator(".react-flow__handle.source"), loose.locator(".target"))
    expect(loose).to_have_count(0)
    page.get_by_role("button", name="撤销").click()
    expect(loose).to_have_count(1)
    page.get_by_role("button", name="重做").click()
    expect(loose).to_have_count(0)
    page.locator(".card-action").nth(1).click()
    page.get_by_label("目标", exact=True).fill("mini-program")
    expect(page.locator(".card-action").nth(1)).to_contain_text("小程序")
    sees(pages, "检查通过")
    look(pages, "rule-canvas")


def a_field_is_mapped_by_dragging(pages: Looker) -> None:
    page = pages.page
    view(page, "映射")
    sees(pages, "data.order_number", "data.total")
    for path in ("data.order_number", "data.total"):
        source = page.locator(".source").filter(has_text=re.compile(f"^{re.escape(path)}[^.\\[]"))
        source.first.drag_to(page.locator(".slot").last)
    expect(page.get_by_label("total 的转换")).to_be_visible()
    sees(pages, "金额", "检查通过")
    look(pages, "rule-mapping")


def the_same_document_is_a_form_and_yaml(pages: Looker) -> None:
    page = pages.page
    view(page, "YAML")
    box = page.get_by_role("textbox", name="YAML")
    written = box.input_value()
    assert "to: mini-program" in written
    box.fill("# agreed with the shop\n" + written.replace("mini-program", "mini program"))
    expect(page.locator(".faults")).to_contain_text("不是渠道名称")
    box.fill("# agreed with the shop\n" + written)
    view(page, "表单")
    page.get_by_label("标题", exact=True).fill("订单同步")
    sees(pages, "检查通过")
    look(pages, "rule-form")
    view(page, "YAML")
    kept = box.input_value()
    assert kept.startswith("# agreed with the shop\n" + written.split("trigger")[0])
    assert "title: 订单同步" in kept
    look(pages, "rule-yaml")


def it_is_tried_and_published(pages: Looker) -> None:
    page = pages.page
    page.get_by_role("tab", name="测试").click()
    page.get_by_role("button", name="测试这个事件").click()
    sees(pages, "共 2 个动作", "$.actions[1]")
    look(pages, "rule-test")
    page.get_by_role("tab", name="试算与发布").click()
    publish = page.get_by_role("button", name="发布规则")
    page.get_by_label("原因(必填)").fill("与门店确认")
    expect(publish).to_be_disabled()
    page.get_by_role("button", name="开始试算").click()
    sees(pages, "新增", "还没有线上版本,这是第一个版本。")
    look(pages, "rule-dry-run")
    publish.click()
    sees(pages, "已发布,从现在起生效")


def the_mini_program_was_told(hub: Hub, number: str) -> None:
    def is_told() -> bool:
        told = httpx.get(f"{hub.miniprogram}/api/desk").json()["told"]
        said = {"order_number": number, "total": "168.00"}
        return any(one["type"] == "rule.orders-to-both" and one["data"] == said for one in told)

    wait_until(is_told, f"the mini-program heard of {number}", PATIENCE_S)


def log_in(pages: Looker) -> Page:
    page = pages.open("/console/rules")
    page.get_by_label("用户名").fill("han.mei")
    page.get_by_label("密码").fill(PASSWORD)
    page.get_by_label("密码").press("Enter")
    sees(pages, "新建规则")
    return page


def sees(pages: Looker, *texts: str) -> None:
    pages.sees(*texts, timeout_s=PATIENCE_S)


def look(pages: Looker, name: str) -> None:
    pages.fits(f"console-{name}")


def node(page: Page, name: str) -> Locator:
    return page.locator(f".react-flow__node[aria-label^='{name}']").first


def choose(page: Page, label: str, text: str) -> None:
    box = page.get_by_label(label, exact=True)
    box.fill(text)
    box.press("Enter")
    box.press("Escape")


def view(page: Page, name: str) -> None:
    page.locator(".ant-segmented-item").filter(has_text=name).click()


def drag(page: Page, source: Locator, target: Locator) -> None:
    """By the mouse, as lines between nodes are drawn."""
    source.hover()
    page.mouse.down()
    target.hover()
    target.hover()
    page.mouse.up()
