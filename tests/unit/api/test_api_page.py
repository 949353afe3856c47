"""docs/api.md says what the code does: every address, scope, problem and limit."""

import re
from pathlib import Path

import hub
from hub.settings import Settings
from hub.store.keys import SCOPES
from hub_api import limits, words
from hub_api.app import create_app

PAGE = (Path(hub.__file__).parent.parent / "docs" / "api.md").read_text(encoding="utf-8")


def test_every_address_is_on_the_page(settings: Settings) -> None:
    for path, methods in create_app(settings).openapi()["paths"].items():
        for method in methods:
            named = f"{method.upper()} {path}" if path.startswith("/v1/") else path
            assert f"`{named}" in PAGE, named


def test_every_scope_and_no_other_is_on_the_page() -> None:
    listed = re.findall(r"^\| `([a-z_]+(?::[a-z_]+)?)` \|", PAGE.partition("## Posting")[0], re.M)
    assert set(listed) == set(SCOPES)


def test_every_problem_is_on_the_page_with_its_status() -> None:
    rows = re.findall(r"^\| (`.+`) \| ([\d, ]+) \|", PAGE.partition("## Refusals")[2], re.M)
    listed: dict[str, set[int]] = {}
    for codes, statuses in rows:
        for code in re.findall(r"`([a-z-]+)`", codes):
            listed[code] = {int(status) for status in statuses.split(",")}
    assert set(listed) == set(words.KINDS)
    for code, statuses in listed.items():
        assert words.KINDS[code].status in statuses, code


def test_the_limits_on_the_page_are_those_of_the_code() -> None:
    assert limits.BODY_BYTES_MAX == 1024 * 1024
    assert "at most 1 MiB" in PAGE
    assert f"an event {limits.EVENT_BYTES_MAX // 1024} KiB" in PAGE
    assert f"at most {limits.BATCH_EVENTS_MAX:,}" in PAGE
    assert f"more than {limits.JSON_DEPTH_MAX} levels" in PAGE
    assert f"1 to {limits.PAGE_ROWS_MAX}, by default {limits.PAGE_ROWS_DEFAULT}" in PAGE
    assert f"more than {limits.COUPON_MISSES_PER_MINUTE_MAX} coupons" in PAGE
    assert f"or {limits.MEMBER_MISSES_PER_MINUTE_MAX} members a minute" in PAGE
    assert f"longer than {limits.BODY_TIMEOUT_S:.0f} seconds" in PAGE
    assert f"within {limits.REQUEST_TIMEOUT_S:.0f} seconds" in PAGE
