"""What belongs to a person is nowhere in clear, and can be opened with the person's key alone."""

import msgspec
import pytest

from hub.domain import ids
from hub.store import log
from hub.store.sealing import SealBroken, Vault, load_keys, unseal
from tests.event_maker import Shop, line, record
from tests.integration.store.stage import Store

PERSONAL = (
    "13912345678",
    "139 1234 5678",
    "8613912345678",
    "王小明",
    "xiaoming",
    "衡山路",
    "oX3f5",
)
IDENTIFIERS = [
    {"type": "phone", "value": "139 1234 5678", "proof": "verified"},
    {"type": "email", "value": "Xiaoming@example.com"},
    {"type": "openid", "value": "oX3f5", "app": "mini"},
]
RECIPIENT = {"name": "王小明", "phone": "13912345678", "address": "衡山路 1 号"}


async def everything_kept(store: Store) -> list[tuple[str, str]]:
    """(table and column, text of all its values), bytes as Latin-1, so that text in them shows."""
    columns = await store.rows(
        "select table_schema, table_name, column_name, data_type from information_schema.columns"
        " where table_schema in ('hub', 'log', 'access')"
        " and data_type in ('text', 'jsonb', 'bytea', 'ARRAY', 'character')"
    )
    kept = []
    for column in columns:
        name = '"{table_schema}"."{table_name}"'.format(**column)
        rows = await store.connection.fetch(f'select "{column["column_name"]}" from {name}')
        for (value,) in rows:
            shown = value if isinstance(value, bytes) else str(value).encode()
            kept.append((f"{name}.{column['column_name']}", shown.decode("latin-1")))
    return kept


@pytest.fixture
async def told(store: Store) -> Store:
    """A store that was told of a person in every way there is."""
    shop = Shop()
    order = {
        "currency": "CNY",
        "lines": [line(1, "cake", 1, "30.00")],
        "total": "30.00",
        "recipient": RECIPIENT,
    }
    bodies = [
        shop.body(
            "member.registered", 1, account="a", identifiers=IDENTIFIERS, name="王小明",
            gender="王小明", birthday="王小明",
        ),
        shop.body("order.placed", 2, order_number="1", buyer={"account": "a"}, **order),
        shop.body("order.placed", 2, order_number="2", **order),
        shop.body("order.amended", 3, order_number="3", **order),  # parked
        shop.body("member.updated", 4, account="a", name="王小明", event_id="twice"),
    ]  # fmt: skip
    reused = shop.body("member.updated", 5, account="a", name="王小明!", event_id="twice")
    broken = bodies[0][:-5]
    tally = await store.take(*bodies, reused, record(broken, topic="t"))
    assert (tally.applied, tally.parked, tally.dead_letters) == (4, 1, 2)
    return store


async def test_no_personal_value_is_kept_in_clear(told: Store) -> None:
    kept = await everything_kept(told)
    assert len(kept) > 50
    for value in PERSONAL:
        for form in (value, msgspec.json.encode(value).decode("latin-1").strip('"')):
            leaks = {where for where, text in kept if form in text}
            assert not leaks, f"{value} stands in {leaks}"
            assert not {where for where, text in kept if value.encode().hex() in text}


async def test_what_a_person_shows_can_be_looked_up_by_its_digest_alone(told: Store) -> None:
    digest = told.vault.value_hmac("phone", "+8613912345678")
    found = await told.row(
        "select profile_id from profile_identifiers where value_hmac = $1", digest
    )
    assert found["profile_id"] == ids.profile_id("web", "a")
    other = Vault(b"another secret of 32 bytes......").value_hmac("phone", "+8613912345678")
    assert other != digest


async def test_the_persons_key_opens_the_profile_and_the_events(told: Store) -> None:
    profile = ids.profile_id("web", "a")
    key = (await load_keys(told.connection, told.vault, [profile]))[profile]
    sealed = await told.value("select personal from profiles where profile_id = $1", profile)
    opened = msgspec.json.decode(unseal(key, sealed, profile))
    assert opened["personal"]["name"] == "王小明"
    assert {"type": "phone", "value": "+8613912345678", "proof": "verified"} in opened[
        "identifiers"
    ]
    rows = await told.rows("select event_id, sealed_by from log.events order by event_id")
    # The order that names no buyer has a key of its own.
    assert [row["sealed_by"] == profile for row in rows] == [True, True, False, False, True]
    assert all(row["sealed_by"] is not None for row in rows)


async def test_a_hub_with_another_secret_opens_nothing(told: Store) -> None:
    profile = ids.profile_id("web", "a")
    with pytest.raises(SealBroken):
        await load_keys(told.connection, Vault(b"another secret"), [profile])


async def test_a_person_whose_key_is_gone_is_forgotten_and_the_orders_stay(told: Store) -> None:
    await told.connection.execute("delete from log.profile_keys")
    profile = ids.profile_id("web", "a")
    epoch = await told.value("select 'epoch'::timestamptz")
    past = await log.history(told.connection, told.vault, "profile", {profile: epoch}, 2**62)
    assert past == {}
    assert await told.value("select count(*) from orders") == 2
