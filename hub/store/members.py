"""Members in Postgres: profiles, and what they hold and allow.

Locks are taken in one order: profiles, identifier values, members, each sorted. Which member a
profile belongs to: `hub.store.membership`; what was ruled about two: `hub.store.rulings`;
forgetting a person: `hub.store.erasure`.
"""

from collections import Counter
from datetime import datetime

import msgspec

from hub.domain import ids, matching, members
from hub.domain.envelope import Event
from hub.domain.ids import Key
from hub.domain.members import Held, ProfileState, RulingData
from hub.store import erasure, log, matching_policies, membership, mentions, rulings
from hub.store.db import Connection, Rows, queries
from hub.store.folding import refold
from hub.store.membership import LINKS, Changed, link
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
        "said_at": "jsonb",
        "platform_level": "text",
        "platform_level_until": "timestamptz",
        "platform_level_at": "timestamptz",
        "erased_at": "timestamptz",
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
        "last_shown_at": "timestamptz",
        "standing": "text",
        "scope": "text",
        "event_key": "uuid",
    },
)
_VALUES = Rows(
    "identifier_values",
    key=("identifier_type", "value_hmac"),
    columns={"identifier_type": "text", "value_hmac": "uuid"},
)
_CONSENTS = Rows(
    "profile_consents",
    key=("profile_id", "purpose", "medium"),
    columns={
        "profile_id": "uuid",
        "purpose": "text",
        "medium": "text",
        "is_granted": "boolean",
        "changed_at": "timestamptz",
        "event_key": "uuid",
    },
)


async def apply(connection: Connection, vault: Vault, work: Work) -> None:
    """Fold the new member events; give every account that appears a profile; join members."""
    published = await matching_policies.follow_published(connection, work)
    await _add_profiles(connection, work)
    changed = Changed(await rulings.keep(connection, vault, work) | published)
    if new := work.of("profile"):
        await _tell(connection, vault, work, new, changed)
    await membership.follow(connection, vault, work, changed)
    if work.erased:
        await erasure.forget_merges(connection, sorted(work.erased))


async def _tell(
    connection: Connection, vault: Vault, work: Work, new: list[Event], changed: Changed
) -> None:
    """Fold and write the profiles that new events are about; notes those whose proofs changed."""
    touched = sorted({event.entity_key for event in new})
    rows = await connection.fetch(queries("members")["lock_profiles"], touched)
    profiles = {row["profile_id"]: row for row in rows}
    epoch = datetime.fromtimestamp(0, work.received_at.tzinfo)
    since = dict.fromkeys(touched, epoch)
    past = await log.history(connection, vault, "profile", since, work.first_log_id)
    was, now = refold(work, new, past, members.fold, always=["member.erased"])
    before = {key: folded.state for key, folded in was.items()}
    states = {key: folded.state for key, folded in now.items()}
    erased = {key: state for key, state in states.items() if state.erased_at is not None}
    if erased:
        changed.profiles |= await erasure.forget(connection, work, erased)
        for key, until in work.erased.items():
            for contact in mentions.proved(past.get(key, ()), until):
                work.forgotten[contact] = max(until, work.forgotten.get(contact, until))
    await _write_profiles(connection, vault, profiles, states)
    await _write_consents(connection, before, states)
    await _write_identifiers(connection, vault, before, states, changed)


def _accounts(event: Event) -> list[tuple[str, str]]:
    """The accounts (channel, account) that an event names."""
    if isinstance(event.data, RulingData):
        return [event.data.left, event.data.right]
    account = getattr(event.data, "account", None)
    return [(event.channel, account)] if account is not None else []


async def _add_profiles(connection: Connection, work: Work) -> None:
    """A profile, a member of its own, for each account that is named for the first time."""
    named: dict[Key, tuple[str, str, datetime, Key]] = {}
    for taken in work.taken:
        event = taken.event
        for account in _accounts(event):
            said = (*account, event.occurred_at, event.key)
            named.setdefault(ids.profile_id(*account), said)
    if not named:
        return
    rows = await connection.fetch(queries("members")["unknown_profiles"], sorted(named))
    unknown = sorted(row["profile_id"] for row in rows)
    if not unknown:
        return
    # Another writer may name the same account at the same time: whose row it is links it.
    added = await _PROFILES.insert_missing(
        connection,
        [
            # Nothing is told of it yet: no attributes, no level, no erasure.
            (key, *named[key][:2], key, None, named[key][2], None, {}, {}, None, None, None, None)
            for key in unknown
        ],
    )
    ours = sorted(row["profile_id"] for row in added)
    await _MEMBERS.insert_new(connection, [(key, None, named[key][2]) for key in ours])
    why = ("first_seen", {}, work.policy.version)
    links = [link(work, (key, key), why, named[key][3]) for key in ours]
    await LINKS.insert_new(connection, links)


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
        is_gone = state.erased_at is not None and state.first_seen_at is None
        tier = state.platform_tier
        rows.append(
            (
                key,
                row["channel"],
                "" if is_gone else state.account,
                row["member_id"],
                state.registered_at,
                state.first_seen_at or row["first_seen_at"],
                seal(keys[key], _personal(state), key) if key in keys else None,
                dict(sorted(state.attributes.items())),
                {name: at.isoformat() for name, at in sorted(state.said_at.items())},
                tier.level if tier is not None else None,
                tier.valid_until if tier is not None else None,
                tier.said_at if tier is not None else None,
                state.erased_at,
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


async def _write_consents(
    connection: Connection, was: dict[Key, ProfileState], now: dict[Key, ProfileState]
) -> None:
    rows = [
        (profile, *at, consent.is_granted, consent.changed_at, consent.event_key)
        for profile, state in now.items()
        for at, consent in state.consents.items()
        if was[profile].consents.get(at) != consent
    ]
    await _CONSENTS.upsert(connection, rows)


async def _write_identifiers(
    connection: Connection,
    vault: Vault,
    was: dict[Key, ProfileState],
    now: dict[Key, ProfileState],
    changed: Changed,
) -> None:
    """Write what profiles newly hold; notes those that proved something, which may join them."""
    rows = []
    proved: Counter[Key] = Counter()
    for profile, state in now.items():
        for at, held in state.held.items():
            if was[profile].held.get(at) == held:
                continue
            row = _identifier_row(vault, profile, held)
            rows.append(row)
            if held.claim.proof == "verified":
                changed.profiles.add(profile)
                proved[row[2]] += 1
    changed.holders_more = max(proved.values(), default=0)
    values = sorted({(row[1], row[2]) for row in rows})
    await _VALUES.insert_new(connection, values)
    kinds, digests = [kind for kind, _ in values], [digest for _, digest in values]
    await connection.fetch(queries("members")["lock_values"], kinds, digests)
    await _IDENTIFIERS.upsert(connection, rows)


def _identifier_row(
    vault: Vault, profile: Key, held: Held
) -> tuple[Key, str, Key, str, datetime, datetime, str, str, Key]:
    claim = held.claim
    return (
        profile,
        claim.type,
        vault.value_hmac(claim.type, claim.value),
        claim.proof,
        held.valid_from,
        held.last_at,
        matching.JOINS if claim.proof == "verified" else matching.DECLARED,
        claim.scope,
        held.event_key,
    )
