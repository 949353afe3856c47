"""Members in Postgres: profiles, their identifiers, and which member a profile belongs to.

Locks are taken in one order: profiles, identifier values, members, each sorted. A merge moves
nothing but links: orders, lots and coupons stay with their profile.
"""

from collections.abc import Iterable
from datetime import datetime

import msgspec

from hub.domain import ids, members
from hub.domain.ids import Key, derived
from hub.domain.members import MATCHING_RULE, Held, ProfileState
from hub.errors import HubError
from hub.store import log
from hub.store.db import Connection, Rows, queries
from hub.store.folding import refold
from hub.store.records import Work
from hub.store.sealing import Vault, ensure_keys, seal

_PROFILES = Rows(
    "profiles",
    key=("profile_id",),
    columns={
        "profile_id": "uuid",
        "channel": "text",
        "account": "text",
        "member_id": "uuid",
        "registered_at": "timestamptz",
        "first_seen_at": "timestamptz",
        "personal": "bytea",
        "attributes": "jsonb",
    },
)
_MEMBERS = Rows(
    "members",
    key=("member_id",),
    columns={"member_id": "uuid", "merged_into": "uuid", "first_seen_at": "timestamptz"},
)
_IDENTIFIERS = Rows(
    "profile_identifiers",
    key=("profile_id", "identifier_type", "value_hmac"),
    columns={
        "profile_id": "uuid",
        "identifier_type": "text",
        "value_hmac": "uuid",
        "proof": "text",
        "valid_from": "timestamptz",
        "event_key": "uuid",
    },
)
_VALUES = Rows(
    "identifier_values",
    key=("identifier_type", "value_hmac"),
    columns={"identifier_type": "text", "value_hmac": "uuid"},
)
_LINKS = Rows(
    "member_links",
    key=("link_id",),
    columns={
        "link_id": "uuid",
        "profile_id": "uuid",
        "member_id": "uuid",
        "valid_from": "timestamptz",
        "reason": "text",
        "evidence": "jsonb",
        "rule_version": "text",
        "event_key": "uuid",
    },
)
MERGE_ROUNDS_MAX = 10
"""Times a merge looks again because another one ran ahead of it; each makes the members fewer."""


class MergeOvertaken(HubError):
    """Other merges of the same people kept running ahead: the write is to be tried again."""


Value = tuple[str, Key]
"""(identifier type, keyed digest of the value)"""


async def apply(connection: Connection, vault: Vault, work: Work) -> None:
    """Fold the new member events; give every account that appears a profile; join members."""
    await _add_profiles(connection, work)
    new = work.of("profile")
    if not new:
        return
    touched = sorted({event.entity_key for event in new})
    rows = await connection.fetch(queries("members")["lock_profiles"], touched)
    profiles = {row["profile_id"]: row for row in rows}
    epoch = datetime.fromtimestamp(0, work.received_at.tzinfo)
    since = dict.fromkeys(touched, epoch)
    past = await log.history(connection, vault, "profile", since, work.first_log_id)
    was, now = refold(work, new, past, members.fold)
    states = {key: folded.state for key, folded in now.items()}
    await _write_profiles(connection, vault, profiles, states)
    shown = await _write_identifiers(
        connection, vault, {key: folded.state for key, folded in was.items()}, states
    )
    await _join(connection, work, shown)


async def _add_profiles(connection: Connection, work: Work) -> None:
    """A profile, a member of its own, for each account that is named for the first time."""
    named: dict[Key, tuple[str, str, datetime, Key]] = {}
    for taken in work.taken:
        event = taken.event
        account = getattr(event.data, "account", None)
        if account is not None:
            key = ids.profile_id(event.channel, account)
            named.setdefault(key, (event.channel, account, event.occurred_at, event.key))
    if not named:
        return
    rows = await connection.fetch(queries("members")["unknown_profiles"], sorted(named))
    unknown = sorted(row["profile_id"] for row in rows)
    if not unknown:
        return
    await _PROFILES.insert_new(
        connection,
        [
            (key, named[key][0], named[key][1], key, None, named[key][2], None, {})
            for key in unknown
        ],
    )
    await _MEMBERS.insert_new(connection, [(key, None, named[key][2]) for key in unknown])
    await _LINKS.insert_new(
        connection,
        [_link((key, key), work.received_at, "first_seen", {}, named[key][3]) for key in unknown],
    )


def _link(
    profile_and_member: tuple[Key, Key],
    at: datetime,
    reason: str,
    evidence: object,
    event_key: Key,
) -> tuple[object, ...]:
    profile, member = profile_and_member
    link_id = derived("link", profile, member, event_key)
    return (link_id, profile, member, at, reason, evidence, MATCHING_RULE, event_key)


async def _write_profiles(
    connection: Connection,
    vault: Vault,
    profiles: dict[Key, dict[str, object]],
    states: dict[Key, ProfileState],
) -> None:
    keys = await ensure_keys(
        connection, vault, [key for key, state in states.items() if state.personal or state.held]
    )
    rows = []
    for key, state in states.items():
        row = profiles[key]
        rows.append(
            (
                key,
                row["channel"],
                row["account"],
                row["member_id"],
                state.registered_at,
                state.first_seen_at,
                seal(keys[key], _personal(state), key) if key in keys else None,
                dict(sorted(state.attributes.items())),
            )
        )
    await _PROFILES.upsert(connection, rows)


def _personal(state: ProfileState) -> bytes:
    """What only the sealed column holds: personal attributes and identifiers in clear."""
    identifiers = [
        {"type": kind, "value": value, "proof": held.claim.proof}
        for (kind, value), held in sorted(state.held.items())
    ]
    personal = dict(sorted(state.personal.items()))
    return msgspec.json.encode({"personal": personal, "identifiers": identifiers})


async def _write_identifiers(
    connection: Connection,
    vault: Vault,
    was: dict[Key, ProfileState],
    now: dict[Key, ProfileState],
) -> dict[Value, Held]:
    """Write what profiles newly hold; the verified values among it, which may join members."""
    rows = []
    shown: dict[Value, Held] = {}
    for profile, state in now.items():
        for at, held in state.held.items():
            if was[profile].held.get(at) == held:
                continue
            claim = held.claim
            value = (claim.type, vault.value_hmac(claim.type, claim.value))
            rows.append((profile, *value, claim.proof, held.valid_from, held.event_key))
            if claim.proof == "verified":
                shown[value] = held
    values = sorted({(row[1], row[2]) for row in rows})
    await _VALUES.insert_new(connection, values)
    await connection.fetch(queries("members")["lock_values"], *_split(values))
    await _IDENTIFIERS.upsert(connection, rows)
    return shown


async def _join(connection: Connection, work: Work, shown: dict[Value, Held]) -> None:
    """Join the members of all profiles that hold one of these verified values."""
    if not shown:
        return
    locked: set[Key] = set()
    for _ in range(MERGE_ROUNDS_MAX):
        holders = await connection.fetch(queries("members")["holders"], *_split(sorted(shown)))
        roots, evidence = _roots(
            ((row["identifier_type"], row["value_hmac"]), row["member_id"]) for row in holders
        )
        involved = roots.keys() | set(roots.values())
        losers = {member: root for member, root in roots.items() if member != root}
        if not losers:
            return
        if involved <= locked:
            await _merge(connection, work, losers, evidence, shown)
            return
        # Look again with the members locked: another merge may have run ahead of this one.
        await connection.fetch(queries("members")["lock_members"], sorted(involved))
        locked |= involved
    raise MergeOvertaken


def _roots(
    holders: Iterable[tuple[Value, Key]],
) -> tuple[dict[Key, Key], dict[Key, Value]]:
    """The surviving member of each, and by which value each came to its component."""
    first: dict[Value, Key] = {}
    edges: list[tuple[Key, Key]] = []
    evidence: dict[Key, Value] = {}
    for value, member in holders:
        anchor = first.setdefault(value, member)
        edges.append((anchor, member))
        evidence.setdefault(member, value)
    return members.components(edges), evidence


async def _merge(
    connection: Connection,
    work: Work,
    losers: dict[Key, Key],
    evidence: dict[Key, Value],
    shown: dict[Value, Held],
) -> None:
    names = sorted(losers)
    survivors = [losers[name] for name in names]
    moved = await connection.fetch(queries("members")["move_profiles"], names, survivors)
    await connection.execute(queries("members")["merge_members"], names, survivors)
    profiles = sorted((row["profile_id"], row["was"], row["member_id"]) for row in moved)
    await connection.execute(
        queries("members")["close_links"], [p for p, _, _ in profiles], work.received_at
    )
    links = []
    for profile, was, member in profiles:
        kind, value = evidence[was]
        links.append(
            _link(
                (profile, member),
                work.received_at,
                "shared_identifier",
                {"identifier_type": kind, "value_hmac": ids.text(value)},
                shown[kind, value].event_key,
            )
        )
    await _LINKS.insert_new(connection, links)


def _split(values: list[Value]) -> tuple[list[str], list[Key]]:
    return [kind for kind, _ in values], [value for _, value in values]
