"""Forgetting a person: what the hub held of a profile goes, what happened to money and goods stays.

State forgets in every write that folds an erased profile, live and in a replay. The log forgets
when the erasure is taken, and each event that comes late is kept without what was personal in it.
An account that shows itself again after its erasure starts anew.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec

from hub.domain import ids, matching, payloads, telling
from hub.domain.ids import Key, derived
from hub.domain.members import ProfileState
from hub.domain.policy import PROFILES_LIMIT
from hub.store import dead_letters
from hub.store.db import Connection, Rows, queries
from hub.store.records import Work
from hub.store.sealing import Vault, ensure_keys, load_keys, seal, unseal

_CERTIFICATES = Rows(
    "log.erasures",
    key=("event_key",),
    columns={
        "event_key": "uuid",
        "profile_id": "uuid",
        "erased_at": "timestamptz",
        "results": "jsonb",
    },
)
_RECIPIENTS = ("recipient_phone", "recipient_email")
EMPTY = b""
"""The body of an event that was forgotten: no event has none."""
KEPT = {
    "orders, payments, points, coupons": "amounts kept under the account's digest alone",
    "outbox": "holds no personal data",
    "audit": "holds no personal data: ids and names of fields",
    "marts": "follow with the next build",
    "Kafka": "gone when the topics' retention has passed",
    "backups": "sealed under a key that is gone",
}


async def forget(connection: Connection, work: Work, erased: dict[Key, ProfileState]) -> set[Key]:
    """Take away what was known of these profiles before they were erased.

    The profiles that shared anything with them, whose members may part.
    """
    profiles = sorted(erased)
    times = [at for profile in profiles if (at := erased[profile].erased_at) is not None]
    work.erased |= dict(zip(profiles, times, strict=True))
    sql = queries("erasure")
    rows = await connection.fetch(sql["sharing"], profiles, PROFILES_LIMIT + len(profiles))
    values = await connection.fetch(sql["forget_identifiers"], profiles, times)
    cases = [
        derived(kind, row["identifier_type"].encode(), row["value_hmac"])
        for row in values
        for kind in matching.REVIEWS
    ]
    await connection.execute(sql["forget_consents"], profiles, times)
    await connection.execute(sql["forget_cases"], cases)
    await connection.execute(sql["forget_links"], profiles)
    return {row["profile_id"] for row in rows} | set(profiles)


async def forget_merges(connection: Connection, erased: Sequence[Key]) -> None:
    """Take erased profiles out of the manifests, once it is known whom they belong to now: those
    of others stay, so that a merge can be undone between the ones who are left."""
    sql = queries("erasure")
    rows = await connection.fetch(sql["forget_merges"], [ids.text(profile) for profile in erased])
    await connection.execute(sql["drop_merges"], [row["merge_id"] for row in rows])


async def purge(connection: Connection, vault: Vault, work: Work) -> None:
    """Take the erased persons' data out of the log, drop their keys, and certify it."""
    taken = {e.entity_key: e for e in work.of("profile") if e.type == "member.erased"}
    if not taken:
        return
    keys = await load_keys(connection, vault, taken)
    for profile, event in sorted(taken.items()):
        erased_at = work.erased[profile]
        known = await connection.fetch(queries("erasure")["sealed_events"], profile)
        said = [(value,) for value in _personal_values(known, keys.get(profile))]
        named = (event.data.account, f"/channels/{event.channel}/shops/")
        letters = await dead_letters.forget(connection, vault, [named, *said])
        await connection.execute(queries("erasure")["drop_key"], profile)
        emptied = await _rewrite(connection, vault, (profile, erased_at), known, keys)
        results = KEPT | {
            "profile, identifiers, consents": "taken away",
            "keys": "dropped" if profile in keys else "there was none",
            "log of events": f"{emptied} events emptied or redacted",
            "dead letters": f"{letters} emptied",
            "events of others": f"{work.redacted} that named the person redacted",
        }
        await _CERTIFICATES.insert_new(connection, [(event.key, profile, erased_at, results)])


def _personal_values(rows: Sequence[Any], key: bytes | None) -> list[str]:
    """What the person's own events say of them, to find it where nobody knows whose it is."""
    found: set[str] = set()
    for row in rows:
        if key is not None and row["entity_kind"] == "profile":
            data = msgspec.json.decode(unseal(key, row["body"], row["event_key"]))["data"]
            found |= {str(one["value"]) for one in data.get("identifiers", [])}
            found |= {str(data[name]) for name in ("name", "birthday") if data.get(name)}
    return sorted(found)


async def _rewrite(
    connection: Connection,
    vault: Vault,
    erasure: tuple[Key, datetime],
    rows: Sequence[Any],
    keys: dict[Key, bytes],
) -> int:
    """Empty or redact the events that were sealed under a dropped key; how many.

    What happened after the erasure is sealed anew: the account came back before this was known.
    """
    profile, erased_at = erasure
    bodies, owners = [], []
    later = [row for row in rows if row["occurred_at"] > erased_at]
    renewed = await _renew(connection, vault, profile, keys[profile]) if later else b""
    for row in rows:
        body = unseal(keys[profile], row["body"], row["event_key"])
        is_later = row["occurred_at"] > erased_at
        if is_later:
            body = seal(renewed, body, row["event_key"])
        else:
            body = without_person(row["entity_kind"], body)
        bodies.append(body)
        owners.append(profile if is_later else None)
    await connection.execute(
        queries("erasure")["rewrite"],
        [row["entity_key"] for row in rows],
        [row["log_id"] for row in rows],
        [row["received_at"] for row in rows],
        bodies,
        owners,
    )
    return len(rows) - len(later)


async def _renew(connection: Connection, vault: Vault, profile: Key, dropped: bytes) -> bytes:
    """A new key for the account that came back, and its personal column sealed under it."""
    key = (await ensure_keys(connection, vault, [profile]))[profile]
    sealed = await connection.fetchval(queries("erasure")["personal"], profile)
    if sealed is not None:
        again = seal(key, unseal(dropped, sealed, profile), profile)
        await connection.execute(queries("erasure")["set_personal"], profile, again)
    return key


def without_person(entity_kind: str, body: bytes) -> bytes:
    """What is kept of an event of an erased person: nothing of a profile, the deal of an order."""
    if entity_kind == "profile":
        return EMPTY
    event = msgspec.json.decode(body)
    data = telling.data_of(event)
    was_for_somebody = any(data.get(name) for name in _RECIPIENTS)
    for name in payloads.PERSONAL_PARTS:
        data.pop(name, None)
    if was_for_somebody:
        data["recipient_forgotten"] = True
    return msgspec.json.encode(event)


async def erased_at(connection: Connection, profiles: Sequence[Key]) -> dict[Key, datetime]:
    """When those of these profiles were erased that were."""
    rows = await connection.fetch(queries("erasure")["erased_at"], list(profiles))
    return {row["profile_id"]: row["erased_at"] for row in rows}
