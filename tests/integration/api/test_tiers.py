"""A member's levels are read with the member, and their history beside it."""

from typing import Any

import pytest

from hub.domain import ids
from hub.store import apply
from hub.store.sealing import Vault
from tests.event_maker import Shop, at, record

BENEFITS = {"price_list": "gold-2026", "platform_levels": {"tmall": "3"}}
LEVELS = [{"name": "silver", "threshold": 100}, {"name": "gold", "threshold": 300} | BENEFITS]
SCHEME = {"basis": "growth", "levels": LEVELS}


@pytest.fixture(autouse=True)
async def member(writer, database) -> str:
    """A member who has become silver, and then gold by what another channel granted."""
    shop, mini = Shop("website"), Shop("mini")
    said = {"kind": "tier_scheme", "name": "club", "document": SCHEME, "reason": "-"}
    phone = {"type": "phone", "value": "13912345678", "proof": "verified"}
    bodies = [
        shop.decision("config.published", -60, **said),
        shop.body("member.registered", 0, account="a", identifiers=[phone]),
        mini.body("member.registered", 0, account="b", identifiers=[phone]),
        shop.body("member.growth_earned", 1, account="a", growth=120),
        mini.body("member.growth_earned", 2, account="b", growth=180),
    ]
    async with writer.transaction():
        vault = Vault(database.settings.secret())
        await apply.apply(writer, vault, [record(body) for body in bodies], "cluster")
    return ids.text(ids.profile_id("website", "a"))


async def read(http, headers: dict[str, str], path: str) -> Any:
    answer = await http.get(f"/v1/members/{path}", headers=headers)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_a_members_level_stands_with_the_member_and_its_history_beside(
    http, key_for, member
) -> None:
    whole = await key_for("website", "members:read", "member:all_channels")
    (shown,) = (await read(http, whole, member))["tiers"]
    assert (shown["scheme"], shown["level"], shown["value"]) == ("club", "gold", 300)
    history = (await read(http, whole, f"{member}/tiers"))["changes"]
    assert [(one["level_before"], one["level"], one["cause"]) for one in history] == [
        ("silver", "gold", "reached"),
        (None, "silver", "reached"),
    ]
    assert history[0]["changed_at"] == at(2).isoformat().replace("+00:00", "Z")


async def test_a_key_of_one_channel_sees_the_level_and_not_what_other_channels_brought(
    http, key_for, member
) -> None:
    one = await key_for("website", "members:read")
    (shown,) = (await read(http, one, f"{member}/tiers"))["tiers"]
    assert (shown["level"], shown["value"]) == ("gold", None)


async def test_a_level_names_its_price_list_and_what_platforms_call_it(
    http, key_for, member
) -> None:
    (shown,) = (await read(http, await key_for("website", "members:read"), member))["tiers"]
    assert (shown["price_list"], shown["platform_levels"]) == ("gold-2026", {"tmall": "3"})


async def test_a_level_that_a_platform_decides_is_mirrored_with_its_source(
    http, key_for, member, writer, database
) -> None:
    async def take(*bodies: bytes) -> None:
        async with writer.transaction():
            vault = Vault(database.settings.secret())
            await apply.apply(writer, vault, [record(body) for body in bodies], "cluster")

    tmall, until = Shop("tmall"), at(99).isoformat()
    phone = {"type": "phone", "value": "13912345678", "proof": "verified"}
    await take(
        tmall.body("member.registered", 0, account="t", identifiers=[phone]),
        # The older word comes last, and says nothing any more.
        tmall.body("member.tier_reported", 9, account="t", level="3", valid_until=until),
        tmall.body("member.tier_reported", 5, account="t", level="1"),
    )
    whole = await key_for("website", "members:read", "member:all_channels")
    said = {"channel": "tmall", "account": "t", "level": "3", "levels": {"club": "gold"}}
    times = {"valid_until": at(99), "reported_at": at(9)}
    times = {name: when.isoformat().replace("+00:00", "Z") for name, when in times.items()}
    shown = await read(http, whole, f"{member}/tiers")
    assert shown["reported"] == [said | times]
    assert shown["tiers"][0]["level"] == "gold"  # the hub's own scheme goes by its own ledger
    one = await key_for("website", "members:read")
    assert (await read(http, one, f"{member}/tiers"))["reported"] == []

    await take(tmall.body("member.tier_reported", 10, account="t"))
    (shown,) = (await read(http, whole, f"{member}/tiers"))["reported"]
    assert (shown["level"], shown["levels"]) == (None, {})
    await take(tmall.decision("member.erased", 11, account="t", reason="asked"))
    assert (await read(http, whole, f"{member}/tiers"))["reported"] == []
