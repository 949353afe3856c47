"""Trying rules and looking at their runs over HTTP: step by step, masked, and made again."""

from typing import Any

import msgspec
import pytest

from hub.store import outbox, rule_runs, subscriptions
from hub.store.sealing import Vault
from hub.store.subscriptions import NewSubscription
from streams.rules.worker import RulesWorker
from tests.integration.api.test_rules import post

PHONE = "13912345678"
RULE: dict[str, Any] = {
    "rule": "to-website",
    "trigger": {"events": ["order.placed"]},
    "map": [
        {"target": "number", "from": "data.order_number"},
        {"target": "phone", "from": "data.recipient.phone", "type": "phone"},
        {"target": "place", "from": "data.place", "on_missing": "skip", "required": False},
    ],
    "actions": [{"do": "publish", "id": "send", "to": "nobody.made.this"}],
    "on_error": {"retries": 0, "then": "keep"},
}


@pytest.fixture
async def worker(database, writer) -> Any:
    await outbox.register(writer, rule_runs.READER)
    found = RulesWorker(database.settings)
    await found.open()
    yield found
    await found.close()


def order(event, number: str, **more: Any) -> dict[str, Any]:
    made = event(number, subject=f"W-{number}")
    made["data"] |= {"recipient": {"name": "王小梅", "phone": PHONE}} | more
    return made


@pytest.fixture
def keep(take) -> Any:
    async def kept(*events: dict[str, Any]) -> None:
        await take(*(msgspec.json.encode(one) for one in events))

    return kept


async def test_a_delivery_of_a_rule_is_shown_with_personal_values_masked(
    http, key_for, keep, event, worker, writer, database
) -> None:
    key = await key_for(None, "rules:write", "subscriptions:read")
    new = NewSubscription("website", "test", ("rule.*",), "https://example.com/hook")
    await subscriptions.add(writer, Vault(database.settings.secret()), new)
    told = RULE | {"actions": [{"do": "deliver", "id": "send", "to": "website"}]}
    assert (await post(http, key, "", "1", rule=told, reason="-")).status_code == 200
    await keep(order(event, "1"))
    while await worker.run_facts():
        pass
    (one,) = (await http.get("/v1/deliveries", headers=key)).json()["items"]
    shown = await http.get(f"/v1/deliveries/{one['delivery_id']}", headers=key)
    assert shown.status_code == 200, shown.text
    assert shown.json()["said"]["data"] == {"number": "W-1", "phone": "•••"}


async def test_a_rule_is_tried_on_a_real_event_with_personal_values_masked(
    http, key_for, keep, event
) -> None:
    key = await key_for(None, "rules:read", "rules:write")
    await keep(order(event, "1"), order(event, "2", place="xuhui"))
    tested = await post(http, key, "/to-website/test", "1", rule=RULE, event_id="1")
    assert tested.status_code == 200, tested.text
    assert PHONE[2:] not in tested.text
    assert "王" not in tested.text
    (one,) = tested.json()["tests"]
    (run,) = one["runs"]
    assert run["effects"][0]["body"] == {"number": "W-1", "phone": "•••"}
    assert [step["kind"] for step in run["steps"]] == ["condition", "map", "publish"]
    missing = await post(http, key, "/to-website/test", "1", rule=RULE, event_id="none")
    assert missing.status_code == 404
    other = await post(http, key, "/another/test", "1", rule=RULE, event_id="1")
    assert other.json()["errors"][0]["field"] == "rule.rule"

    published = await post(http, key, "", "2", rule=RULE, reason="agreed")
    assert published.status_code == 200
    changed = RULE | {"map": [{"target": "number", "template": "{{data.order_number}}!"}]}
    tried = await post(http, key, "/to-website/dry-run", "1", rule=changed)
    assert tried.status_code == 200, tried.text
    said = tried.json()
    assert (said["facts"], said["changed"], said["same"]) == (2, 2, 0)
    assert said["changes"][0]["live"]["body"]["phone"] == "•••"
    assert PHONE[2:] not in tried.text
    diff = await post(http, key, "/to-website/diff", "1", rule=changed)
    assert "+  template: '{{data.order_number}}!'" in diff.json()["lines"]
    exported = await http.get("/v1/rules/to-website/export", headers=key)
    assert exported.text.startswith("rule: to-website")
    again = {"rules": [{"rule": exported.text}], "reason": "git"}
    applied = await post(http, key, "/apply", "3", **again)
    assert applied.json() == {"published": [], "of": 1, "approval_ids": []}
    applied = await post(http, key, "/apply", "4", rules=[{"rule": changed}], reason="git")
    assert applied.json()["published"] == ["to-website"]


async def test_a_failed_run_is_seen_step_by_step_and_made_again_by_the_current_version(
    http, key_for, keep, event, worker
) -> None:
    key = await key_for(None, "rules:read", "rules:write")
    assert (await post(http, key, "", "1", rule=RULE, reason="agreed")).status_code == 200
    wrong = order(event, "1")
    wrong["data"]["recipient"]["phone"] = "12"
    await keep(wrong, order(event, "2"))
    while await worker.run_facts():
        pass
    listed = (await http.get("/v1/rules/to-website/runs", headers=key)).json()["items"]
    assert sorted(one["state"] for one in listed) == ["failed", "waiting"]
    failed = (await http.get("/v1/rules/to-website/runs?state=failed", headers=key)).json()
    (one,) = failed["items"]
    assert one["failures"] == [
        {
            "path": "$.map[1]",
            "code": "not_a_phone",
            "reason": "phone: this is no telephone number that can exist",
        }
    ]
    about = f"/v1/rules/to-website/runs?object_id={one['entity_key']}"
    assert [r["run_id"] for r in (await http.get(about, headers=key)).json()["items"]] == [
        one["run_id"]
    ]
    url = f"/v1/rules/to-website/runs/{one['run_id']}"
    shown = await http.get(url, headers=key)
    assert shown.status_code == 200, shown.text
    assert "王" not in shown.text
    assert shown.json()["fact"]["data"]["recipient"] == {"name": "•••", "phone": "•••"}
    assert [step["kind"] for step in shown.json()["steps"]] == ["condition", "map", "publish"]
    path = url.removeprefix("/v1/rules")
    same = await post(http, key, f"{path}/retry", "2")
    assert same.status_code == 200, same.text
    assert (await http.get(url, headers=key)).json()["run"]["state"] == "failed"
    mended = RULE | {"map": RULE["map"][:1]}
    assert (await post(http, key, "", "3", rule=mended, reason="no phone")).status_code == 200
    again = await post(http, key, f"{path}/retry", "4", version="current")
    assert again.status_code == 200, again.text
    new = (
        await http.get(f"/v1/rules/to-website/runs/{again.json()['run_id']}", headers=key)
    ).json()
    assert (new["run"]["version"], new["run"]["state"]) == (2, "waiting")
    assert new["run"]["retried_by"].startswith("hub_")
    assert (await http.get(url, headers=key)).json()["run"]["state"] == "dismissed"
    figures = (await http.get("/v1/rules/to-website/figures", headers=key)).json()["versions"]
    assert [(one["version"], one["done"], one["failed"]) for one in figures] == [
        (1, 1, 1),
        (2, 1, 0),
    ]
    for scopes in (("orders:read",), ("rules:read",)):
        other = await key_for(None if scopes[0] == "orders:read" else "website", *scopes)
        assert (await http.get(url, headers=other)).status_code == 403
    assert (await http.get("/v1/rules/another/runs/1", headers=key)).status_code == 404


async def test_a_range_is_run_by_the_current_version_once(
    http, key_for, keep, event, worker
) -> None:
    key = await key_for(None, "rules:read", "rules:write")
    await keep(order(event, "1"), order(event, "2"))
    assert (await post(http, key, "", "1", rule=RULE, reason="agreed")).status_code == 200
    while await worker.run_facts():
        pass
    assert (await http.get("/v1/rules/to-website/runs", headers=key)).json()["items"] == []
    span = {"since": "2020-01-01T00:00:00Z", "until": "2100-01-01T00:00:00Z"}
    for name, runs in (("2", 2), ("3", 0)):
        done = await post(http, key, "/to-website/replay", name, **span)
        assert done.json() == {"runs": runs}, done.text
