"""What an alert says, and the body each receiver takes."""

import base64
import hashlib
import hmac
from urllib.parse import parse_qs, urlsplit
from zoneinfo import ZoneInfo

import pytest

from hub_assets.alerts import messages
from hub_assets.alerts.changes import Change, Cursor, Seen, changes

SHANGHAI = ZoneInfo("Asia/Shanghai")
FAILING = Seen("marts/orders", "orders_equal_the_hub", True, 1_772_340_000.0, "I7: equal", 3)
WELL = Seen("marts/orders", "orders_equal_the_hub", False, 1_772_343_600.0)
SAID = messages.message(Change("failing", FAILING), "en", SHANGHAI, "http://hub/orders")


def test_a_check_that_fails_twice_is_said_once_and_its_recovery_once() -> None:
    (failed,) = changes([FAILING], Cursor())
    cursor = Cursor().after(failed)
    assert changes([FAILING], cursor) == []
    (recovered,) = changes([WELL], cursor)
    assert recovered.state == "recovered"
    cursor = cursor.after(recovered)
    assert changes([WELL], cursor) == []
    assert changes([FAILING], cursor) == [failed]


def test_checks_that_fail_are_remembered_apart() -> None:
    other = Seen("hub/orders", "freshness", True, FAILING.at)
    cursor = Cursor()
    for change in changes([FAILING, other], cursor):
        cursor = cursor.after(change)
    assert changes([FAILING, other], cursor) == []


def test_a_check_that_never_failed_is_not_news() -> None:
    assert changes([WELL], Cursor()) == []


def test_changes_are_said_in_the_order_they_happened() -> None:
    earlier = Seen("hub/orders", "freshness", True, FAILING.at - 1)
    assert [one.seen for one in changes([FAILING, earlier], Cursor())] == [earlier, FAILING]


def test_a_message_names_check_asset_rows_and_business_time() -> None:
    assert SAID.text.splitlines() == [
        "Failing: orders_equal_the_hub (marts/orders)",
        "I7: equal",
        "3 rows fail",
        "at 2026-03-01 12:40:00 CST",
        "http://hub/orders",
    ]


def test_a_message_in_chinese() -> None:
    said = messages.message(Change("recovered", WELL), "zh", SHANGHAI, "")
    assert said.title == "已恢复: orders_equal_the_hub (marts/orders)"


@pytest.mark.parametrize(
    ("kind", "path"),
    [
        ("wecom", ("markdown", "content")),
        ("dingtalk", ("markdown", "text")),
        ("feishu", ("content", "text")),
        ("slack", ("text",)),
        ("mail", ("text",)),
        ("webhook", ("text",)),
    ],
)
def test_each_kind_has_its_text_where_its_receiver_looks(
    kind: messages.Kind, path: tuple[str, ...]
) -> None:
    found = messages.body(kind, SAID)
    for name in path:
        found = found[name]
    assert "orders_equal_the_hub" in str(found)
    assert "3 rows fail" in str(found)


def test_types_of_messages_are_those_of_the_robots() -> None:
    assert messages.body("wecom", SAID)["msgtype"] == "markdown"
    assert messages.body("feishu", SAID)["msg_type"] == "text"
    assert messages.body("webhook", SAID)["type"] == "check.failing"


def test_slack_gets_no_markup_from_a_description() -> None:
    seen = Seen("marts/orders", "a", True, 0, "<!channel> & more")
    said = messages.message(Change("failing", seen), "en", SHANGHAI, "")
    assert "&lt;!channel&gt; &amp; more" in messages.body("slack", said)["text"]


def test_a_long_description_is_cut() -> None:
    seen = Seen("marts/orders", "a", True, 0, "字" * 10_000)
    said = messages.message(Change("failing", seen), "zh", SHANGHAI, "")
    assert len(messages.body("wecom", said)["markdown"]["content"].encode()) <= 5_000
    assert len(said.text) == messages.TEXT_MAX


@pytest.mark.parametrize(
    ("kind", "answer", "taken"),
    [
        ("wecom", {"errcode": 0}, True),
        ("wecom", {"errcode": 93000}, False),
        ("dingtalk", {"errcode": 310000}, False),
        ("feishu", {"StatusCode": 0}, True),
        ("feishu", {"code": 19024}, False),
        ("slack", {}, True),
        ("webhook", {}, True),
    ],
)
def test_a_robot_that_answers_with_a_code_has_not_taken_it(
    kind: messages.Kind, answer: dict[str, int], taken: bool
) -> None:
    assert messages.is_taken(kind, answer) is taken


def test_signatures_are_those_the_robots_check() -> None:
    feishu = messages.signed_body("feishu", {"msg_type": "text"}, "s", 1_700_000_000)
    expected = hmac.new(b"1700000000\ns", b"", hashlib.sha256).digest()
    assert base64.b64decode(feishu["sign"]) == expected
    url = messages.signed_url("dingtalk", "https://robot?access_token=t", "s", 1_700_000_000)
    asked = parse_qs(urlsplit(url).query)
    expected = hmac.new(b"s", b"1700000000000\ns", hashlib.sha256).digest()
    assert base64.b64decode(asked["sign"][0]) == expected
    assert asked["access_token"] == ["t"]
    secret = "whsec_" + base64.b64encode(b"k").decode()
    headers = messages.signed_headers("webhook", "m-1", b"{}", secret, 5)
    expected = hmac.new(b"k", b"m-1.5.{}", hashlib.sha256).digest()
    assert headers["webhook-signature"] == "v1," + base64.b64encode(expected).decode()
