"""Whatever a platform sends: a pack makes events of it, ignores it, or says what is wrong."""

import re
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.channels import codec, expressions, shipped
from hub.channels.codec import Message
from hub.channels.expressions import Scope, Unmapped
from hub.channels.pack import Pack
from hub.channels.requests import Given, PushRefused, Request, parse_json
from hub.domain import events

NOW = datetime(2026, 3, 1, 4, 0, tzinfo=UTC)
_FIELD = re.compile(r"\$(?:detail|item|envelope)?\.([A-Za-z_]+)")
odd = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(-(10**9), 10**9).map(lambda number: number / 100)
    | st.text(max_size=8)
    | st.sampled_from(["", "1772337480", "12.30", "4.83E+18", "2026-03-01 11:58:00", 0, 4, "1e30"])
)


def _bodies(pack: Pack) -> st.SearchStrategy[Any]:
    """Objects with the fields that the pack names, two levels deep, and odd values in them."""
    names = sorted(set(_FIELD.findall(shipped.text(pack.pack))))
    flat = st.dictionaries(st.sampled_from(names), odd, max_size=12)
    inner = odd | flat | st.lists(flat, max_size=2)
    return st.dictionaries(st.sampled_from(names), inner, max_size=14)


@pytest.mark.parametrize("name", ["FromUserName", "Event", "CreateTime"])
def test_a_value_that_is_no_text_where_one_is_wanted_is_a_reason(name: str) -> None:
    said = {"FromUserName": "o-1", "Event": "subscribe", "CreateTime": 1} | {name: {"a": 1}}
    pack = shipped.pack("wechat_miniprogram")
    roots = {"message": said, "envelope": said, "setting": {}, "shop": "main", "channel": "c"}
    for line in ("{$.FromUserName}:{$.Event}:{$.CreateTime}", f"$.{name}"):
        with pytest.raises(Unmapped) as caught:
            expressions.text_of(line, Scope(roots, pack.ways()))
        assert caught.value.code == "value_unfit"
        assert name in caught.value.field


@pytest.mark.parametrize("name", shipped.names())
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_a_message_of_any_content_becomes_events_or_a_reason(name: str, data: Any) -> None:
    pack = shipped.pack(name)
    bodies = _bodies(pack)
    kinds = [kind for rule in pack.events for kind in rule.types]
    said = parse_json(msgspec.json.encode(data.draw(bodies)))
    roots = {
        "message": said,
        "envelope": said,
        "setting": dict(pack.settings),
        "shop": "main",
        "channel": "c",
        "header": {},
        "query": {},
    }
    message = Message("m1", data.draw(st.sampled_from(kinds)), Scope(roots, pack.ways()), b"", NOW)
    decoded = codec.decode(pack, Given("c", pack.settings), message, data.draw(bodies))
    assert (decoded.ignored is None) or not decoded.events
    for event in decoded.events:
        events.decode(msgspec.json.encode(event), NOW)


@pytest.mark.parametrize("name", shipped.names())
@settings(max_examples=40, deadline=None)
@given(body=st.binary(max_size=60) | st.text(max_size=60).map(str.encode))
def test_a_push_of_any_bytes_is_refused_not_a_crash(name: str, body: bytes) -> None:
    pack = shipped.pack(name)
    given_to = Given("c", pack.settings, {"signing": ("s",), "encryption": ("k",)})
    for method in ("POST", "GET"):
        push = Request(method, {}, {"timestamp": "1"}, body, "main", NOW)
        with pytest.raises(PushRefused):
            codec.open_push(pack, given_to, push)
