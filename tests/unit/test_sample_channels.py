"""What a sample channel keeps and tells: nothing is lost or taken twice, and no forger is believed.
The hub is a fake here; with a real one: `tests/browser/test_samples.py`."""

import asyncio
import contextlib
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from standardwebhooks.webhooks import Webhook

from samples.books import Books
from samples.following import Following, Forged, TooSoon
from samples.hub_client import HubClient, HubError
from samples.telling import Telling, event

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
OWN_URL = "http://127.0.0.1:1"


class FakeHub(HubClient):
    """Answers as it is told to, and keeps what came."""

    def __init__(self, *refusals: HubError) -> None:
        super().__init__("http://nowhere", "website", "key")
        self.refusals = list(refusals)
        self.bad_subject = ""
        self.taken: list[dict[str, Any]] = []

    async def post(self, events: list[bytes]) -> None:
        if self.refusals:
            raise self.refusals.pop(0)
        read = [json.loads(one) for one in events]
        if self.bad_subject in [one["subject"] for one in read]:
            raise HubError(422, "the total is not the sum")
        self.taken += read


@pytest.fixture
def books(tmp_path: Path) -> Iterator[Books]:
    found = Books(tmp_path / "books.sqlite")
    yield found
    found.close()


@pytest.fixture(autouse=True)
def no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("samples.telling.PAUSE_S_MIN", 0.0)


def placed(subject: str) -> dict[str, Any]:
    return event("website", "order.placed", subject, {"order_number": subject})


async def told_by(books: Books, hub: FakeHub) -> list[str]:
    """What the hub took in the end."""
    task = asyncio.create_task(Telling(books, hub).run())
    for _ in range(1000):
        await asyncio.sleep(0)
        if not books.untold(1):
            break
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
    await hub.close()
    return [one["subject"] for one in hub.taken]


async def test_what_the_hub_could_not_take_is_told_again_in_order(books: Books) -> None:
    books.tell([placed("W1"), placed("W2")])
    books.tell([placed("W3")])
    hub = FakeHub(HubError(503, "Kafka is away"), HubError(0, "no answer"))
    assert await told_by(books, hub) == ["W1", "W2", "W3"]


async def test_an_event_that_the_hub_refuses_is_kept_and_holds_up_no_other(books: Books) -> None:
    books.tell([placed("W1"), placed("W2"), placed("W3")])
    hub = FakeHub()
    hub.bad_subject = "W2"
    assert await told_by(books, hub) == ["W1", "W3"]
    (refused,) = books.refusals()
    assert (refused["subject"], refused["refused"]) == ("W2", "the total is not the sum")


def test_what_was_kept_is_there_when_the_program_comes_back(tmp_path: Path) -> None:
    before = Books(tmp_path / "books.sqlite")
    before.keep_order({"number": "W1", "state": "paid"}, [placed("W1")])
    assert before.next_number() == 1
    before.close()
    after = Books(tmp_path / "books.sqlite")
    assert after.order("W1") == {"number": "W1", "state": "paid"}
    assert len(after.untold(10)) == 1
    assert after.next_number() == 2
    after.close()


def test_the_list_of_what_was_sold_has_pages_and_nothing_that_was_not(books: Books) -> None:
    for number, state in [("W3", "picked_up"), ("W1", "paid"), ("W2", "held"), ("W4", "cancelled")]:
        books.keep_order({"number": number, "state": state})
    assert [one["number"] for one in books.sold("", 1)] == ["W1"]
    assert [one["number"] for one in books.sold("W1", 5)] == ["W3"]


def delivery(message_id: str, available: str, version: str) -> tuple[bytes, dict[str, str]]:
    data = {"sku": "cake", "place": "bund", "available": available, "version": version}
    body = json.dumps({"type": "stock.changed", "data": data})
    now = datetime.now(UTC)
    signature = Webhook(SECRET).sign(message_id, now, body)
    stamp = str(int(now.timestamp()))
    headers = {"webhook-id": message_id, "webhook-timestamp": stamp}
    return body.encode(), headers | {"webhook-signature": signature}


@pytest.fixture
def following(books: Books) -> Following:
    books.note("subscription", {"subscription_id": "s", "secret": SECRET, "target_url": OWN_URL})
    return Following(books, FakeHub(), OWN_URL)


def left(books: Books) -> list[str]:
    return [position["available"] for position in books.stock()]


def test_the_newest_stock_counts_in_whatever_order_it_is_told(
    books: Books, following: Following
) -> None:
    following.hear(*delivery("m2", "3", "2"))
    following.hear(*delivery("m1", "5", "1"))
    following.hear(*delivery("m10", "1", "10"))
    following.hear(*delivery("m2", "3", "2"))
    assert left(books) == ["1"]
    assert len(books.heard()) == 3


@pytest.mark.parametrize("name", ["webhook-id", "webhook-timestamp", "webhook-signature"])
@pytest.mark.parametrize("value", ["", "v1,bm8=", "nonsense", None])
def test_a_delivery_that_the_hub_did_not_sign_is_not_believed(
    books: Books, following: Following, name: str, value: str | None
) -> None:
    body, headers = delivery("m1", "5", "1")
    changed = {key: said for key, said in headers.items() if key != name}
    if value is not None:
        changed[name] = value
    with pytest.raises(Forged):
        following.hear(body, changed)
    with pytest.raises(Forged):
        following.hear(body.replace(b'"5"', b'"9"'), headers)
    assert left(books) == []


def test_a_delivery_before_the_secret_is_known_is_asked_for_again(books: Books) -> None:
    with pytest.raises(TooSoon):
        Following(books, FakeHub(), OWN_URL).hear(*delivery("m1", "5", "1"))
