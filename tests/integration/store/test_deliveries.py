"""Subscribers are told what concerns them, in order for each object, signed, until they have it."""

import asyncio
from datetime import timedelta

import pytest
from standardwebhooks import Webhook

from hub.store import subscriptions
from hub.store.subscriptions import NewSubscription
from tests.integration.store.delivery_stage import (
    WEB,
    Receiver,
    Stage,
    Time,
    counted,
    paid,
    placed,
    subscribe,
    web_json,
)
from tests.integration.store.stage import Store


async def test_a_subscriber_is_told_each_fact_once_and_can_verify_it(
    store: Store, stage: Stage, receiver: Receiver
) -> None:
    _, secret = await subscribe(store, receiver, "order.*")
    await stage.go(1)
    await store.take(placed("1", 0), placed("2", 1))
    await stage.go()
    assert sorted(receiver.told()) == ["1", "2"]
    for body, headers in zip(receiver.bodies, receiver.headers, strict=True):
        assert Webhook(secret).verify(body.decode(), headers)["type"] == "order.placed"


async def test_who_subscribes_is_told_of_the_very_next_fact(
    store: Store, stage: Stage, receiver: Receiver
) -> None:
    await stage.go(1)
    await subscribe(store, receiver, "order.*")
    await store.take(placed("1", 0))
    # The dispatcher looked at the subscriptions a moment ago.
    while not receiver.bodies and await stage.turn():
        await stage.settle()
    await stage.go()
    assert receiver.told() == ["1"]


async def test_facts_of_one_order_come_in_their_order_even_if_the_first_has_to_be_sent_again(
    store: Store, stage: Stage, receiver: Receiver, clock: Time
) -> None:
    await subscribe(store, receiver, "order.*")
    await stage.go(1)
    receiver.statuses = [400]
    await store.take(placed("1", 0), paid("1", 1))
    await stage.go()
    assert receiver.told() == []
    clock.ahead = timedelta(seconds=10)
    await stage.go()
    assert receiver.told("type") == ["order.placed", "order.paid"]


async def test_a_target_is_down_for_2_hours_order_is_kept_and_others_are_not_held_up(
    store: Store, stage: Stage, receiver: Receiver, other: Receiver, clock: Time
) -> None:
    await subscribe(store, receiver, "order.*", "stock.changed")
    await subscribe(store, other, "order.*")
    await stage.go(1)
    receiver.is_away = True
    for minute in range(0, 120, 10):
        await store.take(placed(str(minute), minute), counted(str(minute), minute))
        await store.take(paid(str(minute), minute + 1))
        clock.ahead = timedelta(minutes=minute)
        await stage.go(3)
    assert receiver.told() == []
    assert len(other.told()) == 24
    receiver.is_away = False
    clock.ahead = timedelta(minutes=125)
    await stage.go(30)
    orders: dict[str, list[str]] = {}
    for body in map(web_json, receiver.bodies):
        if "order" in body["type"]:
            orders.setdefault(body["subject"], []).append(body["type"])
    stock = [body["data"] for body in map(web_json, receiver.bodies) if "stock" in body["type"]]
    told = ["order.placed", "order.paid"]  # of each order in its order
    assert orders == {str(minute): told for minute in range(0, 120, 10)}
    # Stale absolute pushes collapse to the newest.
    assert [one["on_hand"] for one in stock] == [stock[-1]["on_hand"]]


async def test_stock_that_changes_while_it_is_told_is_told_again_as_it_then_is(
    store: Store, stage: Stage, receiver: Receiver
) -> None:
    await subscribe(store, receiver, "stock.changed")
    await stage.go(1)
    await store.take(counted("5", 0))
    receiver.hangs.clear()
    await stage.turn()
    await asyncio.wait_for(receiver.arrived.wait(), 10)
    await store.take(WEB.body("stock.adjusted", 600, sku="cake", place="xuhui", delta="-2"))
    await stage.turn()
    receiver.hangs.set()
    await stage.go()
    assert [web_json(body)["data"]["available"] for body in receiver.bodies] == ["5", "3"]


async def test_a_channel_is_told_nothing_of_another_channels_orders_and_no_echo_of_its_own(
    store: Store, stage: Stage, receiver: Receiver, other: Receiver
) -> None:
    quiet = NewSubscription("web", "no echo", ["*"], receiver.url)
    await subscriptions.add(store.connection, store.vault, quiet)
    await subscribe(store, other, "*", channel="mini-program")
    await stage.go(1)
    await store.take(placed("1", 0))
    await stage.go()
    assert receiver.told() == other.told() == []


async def test_a_receiver_that_is_gone_is_sent_nothing_more(
    store: Store, stage: Stage, receiver: Receiver
) -> None:
    await subscribe(store, receiver, "order.*")
    await stage.go(1)
    receiver.statuses = [410]
    await store.take(placed("1", 0))
    await stage.go()
    await store.take(placed("2", 1))
    await stage.go()
    assert receiver.told() == []
    (only,) = await subscriptions.listed(store.connection, None)
    assert only["state"] == "disabled"


async def test_nothing_of_a_person_is_told_once_the_person_was_erased(
    store: Store, stage: Stage, receiver: Receiver
) -> None:
    await subscribe(store, receiver, "*")
    await stage.go(1)
    phone = {"type": "phone", "value": "139 1234 5678", "proof": "verified"}
    member = WEB.body("member.registered", 0, account="u1", name="王小明", identifiers=[phone])
    await store.take(member)
    await stage.go()
    assert [body for body in receiver.bodies if "王小明".encode() in body or b"139" in body] == []


async def test_what_was_sent_and_not_noted_is_sent_again_under_the_same_id(
    store: Store, stage: Stage, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    await subscribe(store, receiver, "order.*")
    await stage.go(1)
    await store.take(placed("1", 0))

    async def killed(*_: object) -> None:
        raise ConnectionResetError

    with monkeypatch.context() as patched:
        patched.setattr(stage, "_note", killed)
        await stage.go(2)
    await stage.go(2)
    ids = [headers["webhook-id"] for headers in receiver.headers]
    assert len(ids) > 1
    assert len(set(ids)) == 1


async def test_a_rotated_secret_signs_beside_the_one_before(
    store: Store, stage: Stage, receiver: Receiver
) -> None:
    subscription_id, before = await subscribe(store, receiver, "order.*")
    after = await subscriptions.rotate(store.connection, store.vault, subscription_id)
    await stage.go(1)
    await store.take(placed("1", 0))
    await stage.go()
    for secret in (before, after):
        Webhook(secret).verify(receiver.bodies[0].decode(), receiver.headers[0])
