"""Logging in to the console: sessions, roles, and what is refused."""

from collections.abc import Awaitable, Callable
from typing import Any

import asyncpg
import httpx
import pytest

from hub.store import audit, people, sessions
from hub.store.people import NewPerson

PASSWORD = "a long enough password"
Add = Callable[..., Awaitable[None]]
Login = dict[str, str]


@pytest.fixture
def add(writer: asyncpg.Connection) -> Add:
    """`await add("li", "operator")`: a person with PASSWORD."""

    async def added(login: str, role: str, name: str = "李雷", place: str | None = None) -> None:
        await people.add(writer, NewPerson(login, name, role, place), PASSWORD, "cli:test")

    return added


async def log_in(http: httpx.AsyncClient, login: str, password: str = PASSWORD) -> httpx.Response:
    return await http.post("/v1/session", json={"login": login, "password": password})


async def changing(http: httpx.AsyncClient, login: str) -> dict[str, str]:
    """Log in; the headers of a change."""
    answer = await log_in(http, login)
    assert answer.status_code == 200, answer.text
    return {"X-CSRF-Token": answer.json()["csrf_token"], "Idempotency-Key": "one"}


A_CASE: dict[str, Any] = {"object_kind": "order", "object_key": "W-1", "reason": "客户来电"}


async def test_a_person_works_by_its_role_and_stands_behind_what_it_did(
    http: httpx.AsyncClient, add: Add, writer: asyncpg.Connection
) -> None:
    await add("li.lei", "service")
    headers = await changing(http, " Li.Lei ")
    who = (await http.get("/v1/session")).json()
    assert (who["person_id"], who["name"], who["role"]) == ("li.lei", "李雷", "service")
    assert "cases:write" in who["scopes"]
    assert "approvals:write" not in who["scopes"]

    made = await http.post("/v1/cases", json=A_CASE, headers=headers)
    assert made.status_code == 201, made.text
    case_id = made.json()["case_id"]
    note = {"reason": "已回电"}
    again = headers | {"Idempotency-Key": "two"}
    assert (await http.post(f"/v1/cases/{case_id}/notes", json=note, headers=again)).is_success
    case = (await http.get(f"/v1/cases/{case_id}")).json()
    assert {step["by"] for step in case["history"]} == {"person:li.lei"}

    grant = f"/v1/approvals/{case_id}/grant"
    refused = await http.post(grant, headers=again | {"Idempotency-Key": "three"})
    assert (refused.status_code, refused.json()["type"]) == (403, "/problems/scope-missing")
    for admins in ("/v1/channels/website/pack", "/v1/channels"):
        assert (await http.get(admins)).status_code in (403, 404, 405)

    assert (await http.delete("/v1/session", headers=headers)).status_code == 204
    assert (await http.get("/v1/cases")).status_code == 401
    actions = [entry.deed.action for entry in await audit.page(writer, text="people/li.lei")]
    assert actions == ["session.closed", "session.opened", "person.added"]


async def test_forged_requests_are_refused(http: httpx.AsyncClient, add: Add) -> None:
    await add("li.lei", "service")
    headers = await changing(http, "li.lei")

    async def refusal(**changed: str) -> tuple[int, str]:
        sent = {name: value for name, value in (headers | changed).items() if value}
        answer = await http.post("/v1/cases", json=A_CASE, headers=sent)
        return answer.status_code, answer.json().get("type", "")

    forged = (403, "/problems/forged")
    assert await refusal(**{"X-CSRF-Token": ""}) == forged
    assert await refusal(**{"X-CSRF-Token": "0" * 64}) == forged
    assert await refusal(Origin="https://evil.example") == forged
    assert await refusal(Origin="null") == forged
    assert await refusal(**{"Sec-Fetch-Site": "cross-site"}) == forged
    assert await refusal(**{"Sec-Fetch-Site": "same-site"}) == forged
    assert (await refusal(Origin="http://hub", **{"Sec-Fetch-Site": "same-origin"}))[0] == 201

    # A form of another site cannot log somebody in, either: it can't send JSON.
    form = '{"login": "li.lei", "password": "' + PASSWORD + '"}'
    plain = {"Content-Type": "text/plain"}
    assert (await http.post("/v1/session", content=form, headers=plain)).status_code == 415
    elsewhere = {"Content-Type": "application/json", "Origin": "https://evil.example"}
    answer = await http.post("/v1/session", content=form, headers=elsewhere)
    assert (answer.status_code, answer.json()["type"]) == forged


async def test_a_session_is_made_at_login_and_never_taken_from_the_browser(
    http: httpx.AsyncClient, add: Add, writer: asyncpg.Connection
) -> None:
    await add("li.lei", "viewer")
    http.cookies.set("hub_session", "planted-by-somebody-else", domain="hub")
    assert (await http.get("/v1/cases")).status_code == 401
    http.cookies.clear()
    answer = await log_in(http, "li.lei")
    cookie = answer.headers["set-cookie"].lower()
    assert {"httponly", "samesite=strict", "path=/"} <= set(cookie.split("; "))
    first = http.cookies["hub_session"]
    await log_in(http, "li.lei")
    second = http.cookies["hub_session"]
    assert first != second
    http.cookies.clear()
    for token, status in ((first, 401), (second, 200), ("x" * 5000, 401)):
        seen = await http.get("/v1/session", headers={"Cookie": f"hub_session={token}"})
        assert seen.status_code == status
    kept = await writer.fetch("select session_digest from access.sessions")
    assert all(second.encode() not in row["session_digest"] for row in kept)


async def test_a_session_ends_when_unused_old_or_when_its_person_is_disabled(
    http: httpx.AsyncClient, add: Add, writer: asyncpg.Connection
) -> None:
    await add("li.lei", "viewer")

    async def status_after(sql: str) -> int:
        await log_in(http, "li.lei")
        await writer.execute(sql)
        return (await http.get("/v1/cases")).status_code

    back = "update access.sessions set {} = now() - interval '{} seconds'"
    assert await status_after(back.format("seen_at", sessions.IDLE_S - 60)) == 200
    assert await status_after(back.format("seen_at", sessions.IDLE_S + 1)) == 401
    assert await status_after(back.format("opened_at", sessions.END_S + 1)) == 401
    await log_in(http, "li.lei")
    await people.disable(writer, "li.lei", "cli:test")
    assert (await http.get("/v1/cases")).status_code == 401
    assert (await log_in(http, "li.lei")).status_code == 401
    await people.enable(writer, "li.lei", "cli:test")
    await log_in(http, "li.lei")
    await people.set_role(writer, "li.lei", "clerk", "S1", "cli:test")
    assert (await http.get("/v1/cases")).status_code == 401
    await log_in(http, "li.lei")
    assert (await http.get("/v1/cases")).json()["type"] == "/problems/scope-missing"


async def test_guessing_passwords_gets_slow_and_tells_nothing(
    http: httpx.AsyncClient, add: Add, writer: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sessions, "FAILURES_MAX", 3)
    await add("li.lei", "viewer")
    refusals = [await log_in(http, name, "wrong") for name in ("li.lei", "nobody", "' or 1=1 --")]
    assert {answer.status_code for answer in refusals} == {401}
    assert len({answer.json()["title"] for answer in refusals}) == 1
    for _ in range(2):
        await log_in(http, "LI.LEI", "wrong")
    waiting = await log_in(http, "li.lei")
    assert waiting.status_code == 429
    assert 0 < int(waiting.headers["retry-after"]) <= sessions.FAILURES_WITHIN_S + 1
    await writer.execute("update access.login_failures set failed_at = now() - interval '1 hour'")
    assert (await log_in(http, "li.lei")).status_code == 200
    assert await writer.fetchval("select count(*) from access.login_failures") == 0
    found = [entry.deed.action for entry in await audit.page(writer, text="person:li.lei")]
    assert found == ["session.opened", *["session.refused"] * 3]


async def test_what_is_no_login_is_refused_by_field(http: httpx.AsyncClient) -> None:
    for body in ({}, {"login": "a"}, {"login": "a", "password": "b", "role": "admin"}):
        assert (await http.post("/v1/session", json=body)).status_code == 422
    answer = await http.post("/v1/session", json={"login": "a" * 300, "password": "geheim"})
    assert answer.status_code == 422
    assert "geheim" not in answer.text


async def test_script_in_a_name_stays_a_name(http: httpx.AsyncClient, add: Add) -> None:
    script = "<script>alert(1)</script>"
    await add("eve", "viewer", script)
    answer = await log_in(http, "eve")
    assert answer.json()["name"] == script
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["x-content-type-options"] == "nosniff"


async def test_a_key_goes_before_a_session(
    http: httpx.AsyncClient, add: Add, key_for: Callable[..., Awaitable[dict[str, str]]]
) -> None:
    await add("boss", "admin")
    await log_in(http, "boss")
    key = await key_for(None, "orders:read")
    assert (await http.get("/v1/cases", headers=key)).status_code == 403
    assert (await http.get("/v1/cases", headers={"Authorization": "Bearer no"})).status_code == 401
    assert (await http.get("/v1/cases")).status_code == 200


@pytest.mark.parametrize(
    ("login", "role", "place"),
    [("", "admin", None), ("Li", "admin", None), ("a b", "admin", None), ("li", "king", None),
     ("li", "clerk", None), ("li", "admin", "S1")],
)  # fmt: skip
def test_who_cannot_be_added_is_refused(login: str, role: str, place: str | None) -> None:
    with pytest.raises(people.BadPersonError):
        NewPerson(login, "李雷", role, place)


async def test_the_same_name_is_not_added_twice(add: Add) -> None:
    await add("li", "viewer")
    with pytest.raises(people.BadPersonError):
        await add("li", "admin")
