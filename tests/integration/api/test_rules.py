"""Sync rules over HTTP: for people of the house, with each mistake named."""

from typing import Any

from tests.event_maker import Shop

RULE = {
    "rule": "to-website",
    "trigger": {"events": ["order.placed"]},
    "map": [{"target": "number", "from": "event.subject"}],
    "actions": [{"do": "deliver", "id": "send", "to": "website"}],
}


async def post(http: Any, headers: dict[str, str], path: str, name: str, **body: Any) -> Any:
    return await http.post(
        f"/v1/rules{path}", headers=headers | {"Idempotency-Key": name}, json=body
    )


async def test_a_rule_is_published_paused_rolled_back_and_read_with_its_versions(
    http, key_for
) -> None:
    key = await key_for(None, "rules:read", "rules:write")
    first = await post(http, key, "", "1", rule=RULE, reason="agreed")
    assert first.status_code == 200, first.text
    assert (first.json()["rule"], first.json()["approval_id"]) == ("to-website", None)
    assert "no subscription to rule.to-website" in first.json()["findings"][0]
    assert (await post(http, key, "", "1", rule=RULE, reason="agreed")).json() == first.json()
    for name, path, more in (("2", "pause", {}), ("3", "rollback", {"version": 1})):
        done = await post(http, key, f"/to-website/{path}", name, reason="night", **more)
        assert done.status_code == 200, done.text
    again = await post(http, key, "/to-website/resume", "4", reason="day")
    assert again.status_code == 409
    listed = (await http.get("/v1/rules/to-website", headers=key)).json()["rules"]
    assert [one["status"] for one in listed] == ["published", "paused", "published"]
    assert listed[0]["document"] == RULE
    (newest,) = (await http.get("/v1/rules", headers=key)).json()["rules"]
    assert newest["version"] == 3
    assert (await http.get("/v1/rules/nobody", headers=key)).status_code == 404
    gone = await post(http, key, "/nobody/archive", "5", reason="-")
    assert gone.status_code == 404


async def test_each_mistake_is_named_with_its_place(http, key_for) -> None:
    key = await key_for(None, "rules:read", "rules:write")
    text = "rule: r\ntrigger: {events: [order.placd]}\nactions: [{do: deliver, id: a}]\n"
    for path in ("/check", ""):
        more = {} if path else {"reason": "-"}
        answer = await post(http, key, path, "1", rule=text, **more)
        assert answer.status_code == 422
        fields = {one["field"]: one["reason"] for one in answer.json()["errors"]}
        assert set(fields) == {"$.trigger.events[0]", "$.actions[0]"}
        assert "line 2, column 20" in fields["$.trigger.events[0]"]
    assert (await post(http, key, "/check", "1", rule=RULE)).json() == {"rule": "to-website"}


async def test_rules_are_for_keys_of_no_channel_with_the_scope(http, key_for) -> None:
    for key in (
        await key_for("website", "rules:read", "rules:write"),
        await key_for(None, "orders:read"),
    ):
        assert (await http.get("/v1/rules", headers=key)).status_code == 403
        answer = await post(http, key, "", "1", rule=RULE, reason="-")
        assert answer.status_code == 403


async def test_who_builds_a_rule_is_told_what_it_can_be_made_of(http, key_for) -> None:
    key = await key_for(None, "rules:read")
    parts = (await http.get("/v1/rule-parts", headers=key)).json()
    assert "order.placed" in parts["events"]
    assert "order-to-all-channels" in parts["templates"]
    actions = {one["do"]: one for one in parts["actions"]}
    assert "set_tier" not in actions
    assert (actions["deliver"]["needs_to"], actions["deliver"]["accepts"]) == (True, None)
    assert actions["void_coupon"]["needs"] == ["code", "reason"]


async def test_samples_name_the_fields_and_show_the_newest_events_masked(
    http, key_for, take
) -> None:
    shop = Shop("website", "main")
    for minute, account in enumerate(("a", "b")):
        await take(shop.body("member.registered", minute, account=account, name="王小梅"))
    key = await key_for(None, "rules:read")
    asked = "/v1/rule-parts/samples?since=2026-01-01T00:00:00Z&event_type="
    told = (await http.get(asked + "member.registered", headers=key)).json()
    kinds = {one["path"]: (one["kind"], one["is_personal"]) for one in told["fields"]}
    assert kinds["event.channel"] == ("text", False)
    assert kinds["data.name"][1] is True
    assert [one["fact"]["data"]["account"] for one in told["samples"]] == ["b", "a"]
    assert {one["fact"]["data"]["name"] for one in told["samples"]} == {"•••"}
    order = (await http.get(asked + "order.placed", headers=key)).json()
    kinds = {one["path"]: one["kind"] for one in order["fields"]}
    assert (kinds["data.total"], kinds["data.lines"]) == ("decimal", "list")
    assert kinds["data.lines[0].sku"] == "text"
    assert (await http.get(asked + "order.placd", headers=key)).status_code == 422
