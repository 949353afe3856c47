"""What holds on every address: keys, refusals in one shape, headers, figures, pages, health."""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from datetime import timedelta

import httpx
import pytest
import structlog
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from hub.domain.readers import DECIDED_TYPES
from hub.settings import Settings
from hub.store import keys
from hub.store.keys import NewKey
from hub.testing import Database
from hub_api.app import create_app
from hub_api.figures import Figures
from hub_api.front import Front
from hub_api.limits import KEY_CACHE_S
from hub_api.routes.pages import ASSETS

ORDER = "/v1/orders/00000000-0000-4000-8000-000000000001"


async def test_both_secrets_of_a_rotated_key_are_good_until_the_overlap_ends(
    http, writer, key_for
) -> None:
    old = await key_for("website", "orders:read")
    prefix = old["Authorization"].removeprefix("Bearer ").partition(".")[0]
    new = {"Authorization": "Bearer " + await keys.rotate(writer, prefix, timedelta(hours=1))}
    await asyncio.sleep(KEY_CACHE_S)
    assert (await http.get(ORDER, headers=new)).status_code == 404
    assert (await http.get(ORDER, headers=old)).status_code == 404
    # Another rotation: the first secret is the one before the one before.
    newest = {"Authorization": "Bearer " + await keys.rotate(writer, prefix, timedelta())}
    await asyncio.sleep(KEY_CACHE_S)
    assert (await http.get(ORDER, headers=newest)).status_code == 404
    assert (await http.get(ORDER, headers=old)).status_code == 401
    assert (await http.get(ORDER, headers=new)).status_code == 401


async def test_a_key_that_asks_too_often_is_told_when_to_ask_again(http, writer) -> None:
    token = await keys.create(writer, NewKey("a test", ("orders:read",), requests_per_s=1))
    headers = {"Authorization": f"Bearer {token}"}
    answers = [await http.get(ORDER, headers=headers) for _ in range(50)]
    refused = [one for one in answers if one.status_code == 429]
    assert answers[0].status_code == 404
    assert refused
    assert refused[0].json()["type"] == "/problems/too-many-requests"
    assert refused[0].headers["Retry-After"] == "1"
    other = {"Authorization": "Bearer " + await keys.create(writer, NewKey("b", ("orders:read",)))}
    assert (await http.get(ORDER, headers=other)).status_code == 404


async def test_a_key_that_another_process_knows_is_refused_there_within_a_second(
    http, database, writer, key_for
) -> None:
    headers = await key_for("website", "orders:read")
    prefix = headers["Authorization"].removeprefix("Bearer ").partition(".")[0]
    app = create_app(database.settings)
    async with app.router.lifespan_context(app):
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://hub") as other:
            for one in (http, other):
                assert (await one.get(ORDER, headers=headers)).status_code == 404
            await keys.revoke(writer, prefix)
            await asyncio.sleep(KEY_CACHE_S)
            for one in (http, other):
                assert (await one.get(ORDER, headers=headers)).status_code == 401
    assert KEY_CACHE_S < 1


async def test_a_revoked_key_is_refused_within_a_second(http, writer, key_for) -> None:
    headers = await key_for("website", "orders:read")
    assert (await http.get(ORDER, headers=headers)).status_code == 404
    prefix = headers["Authorization"].removeprefix("Bearer ").partition(".")[0]
    revoked = await keys.revoke(writer, prefix)
    await asyncio.sleep(1.05)
    assert (await http.get(ORDER, headers=headers)).status_code == 401
    again = await keys.revoke(writer, prefix)
    assert again.revoked_at == revoked.revoked_at


async def test_a_key_is_noted_as_used_when_the_app_ends(
    database: Database, sender, writer, key_for
) -> None:
    headers = await key_for("website", "orders:read")
    app = create_app(database.settings, sender)
    async with app.router.lifespan_context(app):
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://hub") as client:
            await client.get(ORDER, headers=headers)
    (key,) = await keys.all_keys(writer)
    assert key.last_used_at is not None
    assert sender.is_closed


async def test_of_a_key_only_a_digest_is_kept(writer, key_for) -> None:
    headers = await key_for("website", "orders:read")
    secret = headers["Authorization"].rpartition(".")[2]
    kept = str(await writer.fetch("select * from access.api_keys"))
    assert secret not in kept
    assert secret not in str(await keys.all_keys(writer))


@pytest.mark.parametrize(
    "spoil",
    [
        lambda key: "",
        lambda key: key,
        lambda key: f"Basic {key}",
        lambda key: f"Bearer {key[:-1]}",
        lambda key: f"Bearer {key[:-1]}{'A' if key[-1] != 'A' else 'B'}",
        lambda key: f"Bearer {key}x",
        lambda key: f"Bearer hub_000000000000.{key.rpartition('.')[2]}",
        lambda key: f"Bearer {key.partition('.')[0]}' or '1'='1.{key.rpartition('.')[2]}",
        lambda key: "Bearer " + "x" * 10_000,
        lambda key: "Bearer .",
    ],
)
async def test_a_wrong_key_is_refused(http, key_for, spoil) -> None:
    key = (await key_for("website", "orders:read"))["Authorization"].removeprefix("Bearer ")
    answer = await http.get(ORDER, headers={"Authorization": spoil(key)})
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("Bearer")


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nothing", 404),
        ("GET", "/v1/nothing", 404),
        ("DELETE", ORDER, 405),
        ("PUT", "/v1/channels/website/events", 405),
        ("GET", ORDER, 401),
        ("POST", "/v1/members/lookup", 401),
        ("GET", "/docs/../../etc/passwd", 404),
        ("GET", "/docs/..%2f..%2fpyproject.toml", 404),
        ("GET", "/problems/nothing", 404),
    ],
)
async def test_every_refusal_has_the_one_shape(http, method: str, path: str, status: int) -> None:
    answer = await http.request(method, path)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert set(problem) == {
        *("type", "title", "status", "detail", "instance", "trace_id", "errors")
    }
    assert problem["status"] == status
    assert problem["instance"] == f"urn:uuid:{answer.headers['x-request-id']}"
    explained = await http.get(problem["type"])
    assert explained.json()["en"]["title"] == problem["title"]


async def test_a_405_names_the_methods_that_are_allowed(http) -> None:
    answer = await http.delete(ORDER)
    assert "GET" in answer.headers["allow"]


@pytest.mark.parametrize(
    ("wanted", "language"),
    [
        ("zh-CN,zh;q=0.9,en;q=0.8", "zh"),
        ("zh", "zh"),
        ("en-GB, zh;q=0.5", "en"),
        ("fr, zh;q=0.4, en;q=0.3", "zh"),
        ("*", "en"),
        ("zh;q=nonsense", "en"),
        ("", "en"),
    ],
)
async def test_a_refusal_speaks_the_readers_language(http, wanted: str, language: str) -> None:
    answer = await http.get(ORDER, headers={"Accept-Language": wanted})
    assert answer.headers["content-language"] == language
    has_chinese = re.search(r"[\u4e00-\u9fff]", answer.json()["title"]) is not None
    assert has_chinese == (language == "zh")


async def test_a_failure_shows_no_stack_and_logs_no_value(http, key_for, monkeypatch) -> None:
    headers = await key_for("website", "orders:read")

    async def fail(*_arguments: object) -> None:
        raise RuntimeError("select secret from hub.orders where phone = '13912345678'")

    monkeypatch.setattr("hub.store.reads.orders.get", fail)
    with structlog.testing.capture_logs() as lines:
        answer = await http.get(ORDER, headers=headers)
    assert answer.status_code == 500
    assert answer.json()["type"] == "/problems/internal"
    assert "secret" not in answer.text
    failed = next(line for line in lines if line["event"] == "request_failed")
    assert failed["error"] == "RuntimeError"
    assert any("orders.py" in frame for frame in failed["frames"])
    assert "13912345678" not in str(lines)


async def test_postgres_away_is_said_and_mended_by_itself(http, database, writer, key_for) -> None:
    headers = await key_for("website", "orders:read")
    assert (await http.get(ORDER, headers=headers)).status_code == 404
    await writer.execute(
        "select pg_terminate_backend(pid) from pg_stat_activity where pid <> "
        "pg_backend_pid() and datname = current_database()"
    )
    answer = await http.get(ORDER, headers=headers)
    assert answer.status_code in (404, 503)
    assert (await http.get(ORDER, headers=headers)).status_code == 404


@pytest.fixture
async def lonely(settings: Settings, sender) -> AsyncIterator[httpx.AsyncClient]:
    """An app whose Postgres never answers."""
    app = create_app(settings.model_copy(update={"postgres_port": 1}), sender)
    async with app.router.lifespan_context(app):
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://hub") as client:
            yield client


async def test_without_postgres_the_api_runs_and_says_what_is_missing(lonely, sender) -> None:
    assert (await lonely.get("/healthz")).status_code == 200
    sender.is_away = True
    ready = await lonely.get("/readyz")
    assert ready.status_code == 503
    assert {error["field"] for error in ready.json()["errors"]} == {"postgres", "kafka"}
    key = f"Bearer hub_{'0' * 12}.{'x' * 43}"
    answer = await lonely.get(ORDER, headers={"Authorization": key})
    assert answer.status_code == 503
    assert int(answer.headers["retry-after"]) > 0


async def test_ready_needs_postgres_with_tables_and_kafka(http, sender, writer) -> None:
    assert (await http.get("/readyz")).json() == {"postgres": "ok", "kafka": "ok"}
    await writer.execute("drop table access.api_keys")
    sender.is_away = True
    errors = (await http.get("/readyz")).json()["errors"]
    assert [error["field"] for error in errors] == ["postgres", "kafka"]
    assert "tables" in errors[0]["reason"]


async def test_figures_count_by_route_template_and_hold_no_values(http, poster, event) -> None:
    await http.post("/v1/channels/website/events", json=[event("e1"), event("e2")], headers=poster)
    await http.get("/v1/coupons/SECRETCODE", headers=poster)
    await http.get("/phone/13912345678")
    text = (await http.get("/metrics")).text
    assert 'hub_api_events_accepted_total{topic="commerce.orders.v1"} 2.0' in text
    assert 'method="POST",route="/v1/channels/{channel}/events",status="202"' in text
    assert 'route="unmatched",status="404"' in text
    assert "SECRETCODE" not in text
    assert "13912345678" not in text


async def test_the_log_holds_the_route_and_the_keys_name_but_no_value(http, poster, event) -> None:
    with structlog.testing.capture_logs() as lines:
        await http.post("/v1/channels/website/events?phone=139", json=event("e7"), headers=poster)
        await http.get("/v1/channels/website/events/e7?shop=main", headers=poster)
    text = json.dumps(lines)
    assert "/v1/channels/{channel}/events" in text
    assert poster["Authorization"].removeprefix("Bearer ").partition(".")[0] in text
    for hidden in ("e7", "139", "main", poster["Authorization"].rpartition(".")[2]):
        assert hidden not in re.sub(r'"(request_id|trace_id|key|ms)": [^,}]*', "", text), hidden


async def test_every_answer_carries_the_headers_for_safety(http) -> None:
    for path in ("/healthz", "/docs", ORDER, "/nothing"):
        headers = (await http.get(path)).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"
        assert "default-src 'none'" in headers["content-security-policy"]


async def test_too_many_headers_and_too_long_addresses_are_refused(http) -> None:
    many = await http.get("/healthz", headers={f"x-{i}": "1" for i in range(1000)})
    assert many.status_code == 431
    large = await http.get("/healthz", headers={"x-large": "1" * 40_000})
    assert large.status_code == 431
    assert (await http.get("/" + "a" * 5000)).status_code == 414
    assert (await http.get("/healthz?" + "a" * 5000)).status_code == 414


async def test_nul_in_an_address_is_refused(http) -> None:
    for path in ("/v1/stock/a%00b", "/healthz?a=%00"):
        assert (await http.get(path)).status_code == 400


async def test_the_api_page_needs_nothing_from_elsewhere(http) -> None:
    page = await http.get("/docs")
    assert page.status_code == 200
    assert not re.search(r"(src|href)=\"(https?:)?//", page.text)
    for name in (*ASSETS, "start.js"):
        asset = await http.get(f"/docs/{name}")
        assert asset.status_code == 200, name
        assert len(asset.content) > 100
    assert (await http.get("/")).headers["location"] == "/docs"


async def test_openapi_describes_every_route_with_its_key(http) -> None:
    described = (await http.get("/openapi.json")).json()
    assert described["openapi"].startswith("3.1")
    paths = described["paths"]
    assert "/v1/channels/{channel}/events" in paths
    for path, methods in paths.items():
        for method in methods.values():
            # A platform signs its pushes and has no key; nor has a person who is to log in.
            is_open = "/webhooks/" in path or path == "/v1/session"
            needs_key = path.startswith("/v1/") and not is_open
            assert bool(method.get("security")) == needs_key, path
            assert method.get("summary"), path


async def test_asyncapi_describes_every_event_type_once(http) -> None:
    described = (await http.get("/asyncapi.json")).json()
    facts = described["channels"].pop("hub.facts.v1")["messages"]
    assert sorted(facts) == sorted(described["components"]["messages"])
    listed = [name for one in described["channels"].values() for name in one["messages"]]
    assert len(listed) == len(set(listed))
    assert set(facts) - set(listed) == DECIDED_TYPES
    described["channels"]["hub.facts.v1"] = {"messages": facts}
    references = re.findall(r'"\$ref": "#/([^"]+)"', json.dumps(described))
    for reference in references:
        found = described
        for part in reference.split("/"):
            found = found[part]


async def test_a_request_that_takes_too_long_is_ended() -> None:
    async def slow(_request: Request) -> Response:
        await asyncio.sleep(10)
        return Response()

    app = Front(Starlette(routes=[Route("/slow", slow)]), Figures(), timeout_s=0.05)
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://hub") as client:
        answer = await client.get("/slow")
    assert answer.status_code == 504
    assert answer.json()["type"] == "/problems/time-limit"


async def test_a_stream_that_has_begun_outlives_the_time_limit() -> None:
    async def told(_scope: Scope, _receive: Receive, send: Send) -> None:
        # Begun before anything is waited for, so that no slow machine reaches the limit first.
        headers = [(b"content-type", b"text/event-stream")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await asyncio.sleep(0.3)
        await send({"type": "http.response.body", "body": b"data: last\n\n"})

    transport = httpx.ASGITransport(Front(told, Figures(), timeout_s=0.05))
    async with httpx.AsyncClient(transport=transport, base_url="http://hub") as client:
        answer = await client.get("/told")
    assert (answer.status_code, answer.text) == (200, "data: last\n\n")
