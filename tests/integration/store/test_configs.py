"""Configuration is kept in versions that count from their time on, and decided like all else."""

from datetime import timedelta

import pytest

from hub.errors import Refused
from hub.store import commands, configs
from hub.store.configs import ConfigInvalid, Draft
from hub.store.replay import replay
from tests.event_maker import Shop
from tests.integration.store.stage import Store


def draft(limit: object, **more: object) -> Draft:
    return Draft("approvals", "points", {"limit": limit}, "agreed in March", **more)  # type: ignore[arg-type]


async def publish(store: Store, *drafts: Draft) -> None:
    for one in drafts:
        async with store.connection.transaction():
            await configs.publish(store.connection, store.vault, one)


async def test_a_version_counts_from_its_time_on(store: Store) -> None:
    await publish(store, draft(100))
    now = await store.value(commands.queries("commands")["clock"])
    await publish(store, draft(300, valid_from=now + timedelta(days=1)))
    for days, limit in ((0, 100), (2, 300)):
        found = await configs.current(store.connection, "approvals", now + timedelta(days=days))
        assert found["points"].limit == limit
    rows = await configs.listed(store.connection, "approvals", "points")
    assert [(row["version"], row["document"]) for row in rows] == [
        (2, {"limit": 300}),
        (1, {"limit": 100}),
    ]


async def test_a_version_does_not_count_for_what_has_happened(store: Store) -> None:
    await publish(store, draft(100))
    now = await store.value(commands.queries("commands")["clock"])
    with pytest.raises(Refused, match="has happened"):
        await publish(store, draft(300, valid_from=now - timedelta(days=1)))
    assert len(await configs.listed(store.connection, None, None)) == 1


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        (draft("many"), "$.limit"),
        (draft(-1), "$.limit"),
        (Draft("approvals", "points", {"limits": 1}, "-"), "$"),
        (Draft("horoscopes", "points", {"limit": 1}, "-"), "kind"),
    ],
)
async def test_a_document_that_cannot_be_used_is_refused_with_its_field(
    store: Store, wrong: Draft, field: str
) -> None:
    with pytest.raises(ConfigInvalid) as refused:
        await publish(store, wrong)
    assert refused.value.where == field
    assert await store.value("select count(*) from log.events") == 0


async def test_channels_cannot_configure_the_hub(store: Store) -> None:
    data = {"kind": "approvals", "name": "points", "document": {"limit": 1}, "reason": "-"}
    tally = await store.take(Shop().body("config.published", 1, **data))
    assert tally.dead_letters == 1


async def test_a_replay_finds_the_same_versions(store: Store) -> None:
    await publish(store, draft(100), draft(200))
    result = await replay(store.database.dsn("owner"), store.vault)
    assert result.events == 2
    assert result.is_equal
