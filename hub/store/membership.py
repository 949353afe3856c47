"""Which member a profile belongs to, kept as the facts say: joined, and parted again.

Not here: how facts decide it (`hub.domain.matching`), and profiles themselves
(`hub.store.members`). Orders, lots and coupons stay with their profile, so only links change.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable
from typing import Any

from msgspec import Struct

from hub.domain import ids, matching
from hub.domain.envelope import Event
from hub.domain.ids import Key, derived
from hub.domain.matching import At, Facts, Holding, Resolution, Review, Ruling, Standing, Value
from hub.domain.members import RulingData
from hub.domain.policy import Policy, blocked_values
from hub.errors import HubError
from hub.store import cases
from hub.store.db import Connection, Rows, queries
from hub.store.records import Work
from hub.store.sealing import Vault

LINKS = Rows(
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
_MERGES = Rows(
    "member_merges",
    key=("merge_id",),
    columns={
        "merge_id": "uuid",
        "kind": "text",
        "members_before": "jsonb",
        "members_after": "jsonb",
        "edges": "jsonb",
        "event_keys": "jsonb",
        "rule_version": "text",
        "merged_at": "timestamptz",
    },
)
STANDING_MERGES = """(
    select distinct g.member_id, g.profiles
    from {schema}.member_merges as m
    cross join lateral jsonb_each(m.members_after) as g (member_id, profiles)
    where
        jsonb_array_length(g.profiles) > 1
        and g.profiles = (
            select jsonb_agg(p.profile_id order by p.profile_id)
            from {schema}.profiles as p
            where p.member_id = g.member_id::uuid
        )
) as standing"""
"""The groups of profiles that manifests tell of and that stand now. On the way to them each order
of arrival may join and part others, but whoever is one member has a manifest that says so."""
ROUNDS_MAX = 10
"""Times a write looks again because others changed the same people before it locked them."""
_QUIET = frozenset({matching.JOINS, matching.DECLARED})


class MergeOvertaken(HubError):
    """Other merges of the same people kept running ahead: the write is to be tried again."""


class Changed(Struct):
    """What a write changed: the profiles that may join or part now, and how many holders one value
    gained at most."""

    profiles: set[Key]
    holders_more: int = 0


class Known(Struct):
    """What Postgres holds of some profiles: facts, and what was made of them before."""

    facts: Facts
    members: dict[Key, Key]
    standings: dict[At, Standing]


async def follow(connection: Connection, vault: Vault, work: Work, changed: Changed) -> None:
    """Bring the members of all profiles that these changes may join or part up to date."""
    if not changed.profiles:
        return
    policy = work.policy
    seeds = sorted(changed.profiles)
    locked: set[Key] = set()
    for _ in range(ROUNDS_MAX):
        known = await load(connection, vault, policy, seeds, changed.holders_more)
        resolution = matching.resolve(known.facts, policy)
        shared = _members_of_several(known, resolution)
        if shared <= locked:
            await _write(connection, work, known, resolution)
            return
        await connection.fetch(queries("membership")["lock_members"], sorted(shared))
        locked |= shared
    raise MergeOvertaken


async def load(
    connection: Connection, vault: Vault, policy: Policy, seeds: list[Key], holders_more: int = 0
) -> Known:
    """What is known of these profiles and of all that anything may join with them.

    holders_more: how many holders one value has just gained: those of a value that has now become
    too many are still looked at, once, to be parted.
    """
    types = list(policy.types)
    limits = [rule.profiles_max for rule in policy.types.values()]
    wider = [limit + holders_more for limit in limits]
    rows = await connection.fetch(queries("membership")["reach"], seeds, types, wider)
    profiles = [row["profile_id"] for row in rows]
    held = await connection.fetch(queries("membership")["holdings"], profiles, types, limits)
    ruled = await connection.fetch(queries("membership")["rulings"], profiles)
    blocked = {(kind, vault.value_hmac(kind, value)) for kind, value in blocked_values(policy)}
    barred = {
        value: matching.BLOCKED if value in blocked else matching.OVERUSED
        for row in held
        if (value := (row["identifier_type"], row["value_hmac"])) in blocked or row["is_overused"]
    }
    channels = {row["profile_id"]: row["channel"] for row in rows}
    facts = Facts(channels, [_holding(r) for r in held], [Ruling(*r) for r in ruled], barred)
    standings = {
        (row["profile_id"], row["identifier_type"], row["value_hmac"]): Standing(
            row["standing"], row["valid_to"]
        )
        for row in held
    }
    return Known(facts, {row["profile_id"]: row["member_id"] for row in rows}, standings)


def _holding(row: Any) -> Holding:
    return Holding(
        row["profile_id"],
        row["identifier_type"],
        row["value_hmac"],
        row["valid_from"],
        row["last_shown_at"],
        row["scope"],
    )


def _members_of_several(known: Known, resolution: Resolution) -> set[Key]:
    """The members, before and after, of profiles that share anything with others.

    A profile that shares nothing is locked by itself, and so is each value it shows: who shows it
    next waits for this write.
    """
    sharing = {profile for said in known.facts.rulings for profile in (said.left, said.right)}
    for _, profiles in _holders(known.facts).items():
        if len(profiles) > 1:
            sharing |= profiles
    sharing |= {p for p, member in known.members.items() if member != p}
    return {at[profile] for profile in sharing for at in (known.members, resolution.members)}


def _holders(facts: Facts) -> dict[Value, set[Key]]:
    holders: dict[Value, set[Key]] = defaultdict(set)
    for held in facts.holdings:
        holders[held.type, held.value].add(held.profile)
    return holders


async def _write(connection: Connection, work: Work, known: Known, resolution: Resolution) -> None:
    await _set_standings(connection, known, resolution)
    await _follow_cases(connection, work, known, resolution)
    moved = sorted(p for p, member in resolution.members.items() if known.members[p] != member)
    if not moved:
        return
    members = [resolution.members[profile] for profile in moved]
    work.members_before |= {profile: known.members[profile] for profile in moved}
    await connection.execute(queries("membership")["move_profiles"], moved, members)
    await connection.execute(queries("membership")["point_members"], moved, members)
    await connection.execute(queries("membership")["close_links"], moved, work.received_at)
    cause = min(_causes(work), default=work.taken[0].event.key)
    evidence = _evidence(moved, known, resolution)
    version = work.policy.version
    links = [link(work, (p, resolution.members[p]), (*evidence[p], version), cause) for p in moved]
    await LINKS.insert_new(connection, links)
    await _MERGES.insert_new(connection, _manifests(work, known, resolution, moved))


def link(
    work: Work,
    profile_and_member: tuple[Key, Key],
    why: tuple[str, object, str],
    event_key: Key,
) -> tuple[object, ...]:
    """A row of `LINKS`, from the time of this write on; why: reason, evidence, rule version."""
    link_id = derived("link", *profile_and_member, event_key)
    return (link_id, *profile_and_member, work.received_at, *why, event_key)


def _causes(work: Work) -> list[Key]:
    return [event.key for event in work.of("profile", "pair")]


def _told_by(work: Work) -> dict[Key, list[Key]]:
    """The new events that tell of each profile: a manifest names its own alone."""
    found: dict[Key, list[Key]] = defaultdict(list)
    for event in work.of("profile", "pair"):
        for profile in _told_of(event):
            found[profile].append(event.key)
    return found


def _told_of(event: Event) -> list[Key]:
    if isinstance(event.data, RulingData):
        return [ids.profile_id(*account) for account in (event.data.left, event.data.right)]
    return [event.entity_key]


def _evidence(
    moved: Iterable[Key], known: Known, resolution: Resolution
) -> dict[Key, tuple[str, object]]:
    """Why profiles are where they are now, by profile: (reason, evidence)."""
    members = resolution.members
    found: dict[Key, tuple[str, object]] = {}
    for said in known.facts.rulings:
        if said.is_one and members[said.left] == members[said.right]:
            why = {"profiles": [ids.text(said.left), ids.text(said.right)]}
            for profile in (said.left, said.right):
                found.setdefault(profile, ("ruled", why))
    for (kind, value), holders in sorted(_holders(known.facts).items()):
        mates = Counter(members[profile] for profile in holders)
        why = {"identifier_type": kind, "value_hmac": ids.text(value)}
        for profile in holders:
            if mates[members[profile]] > 1:
                found.setdefault(profile, ("shared_identifier", why))
    return {profile: found.get(profile, ("parted", {})) for profile in moved}


def _manifests(
    work: Work, known: Known, resolution: Resolution, moved: list[Key]
) -> list[tuple[object, ...]]:
    """One manifest for each set of members that were regrouped among themselves."""
    edges = [(known.members[profile], resolution.members[profile]) for profile in moved]
    regrouped = matching.components(edges)
    sets: dict[Key, set[Key]] = defaultdict(set)
    for profile in resolution.members:
        for name in (known.members[profile], resolution.members[profile]):
            if name in regrouped:
                sets[regrouped[name]].add(profile)
    told_by = _told_by(work)
    edges_of = _edges(known.facts, resolution)
    rows = []
    for profiles in sets.values():
        before, after = _grouped(known.members, profiles), _grouped(resolution.members, profiles)
        kind = "merged" if len(after) < len(before) else "split"
        if len(after) == len(before):
            kind = "regrouped"
        causes = {cause for profile in profiles for cause in told_by.get(profile, ())}
        rows.append(
            (
                derived("merge", work.taken[0].event.key, min(profiles)),
                kind,
                before,
                after,
                [edge for profile in sorted(profiles) for edge in edges_of.get(profile, ())],
                [ids.text(cause) for cause in sorted(causes)],
                work.policy.version,
                work.received_at,
            )
        )
    return rows


def _grouped(members: dict[Key, Key], profiles: Iterable[Key]) -> dict[str, list[str]]:
    groups: dict[str, list[str]] = {}
    for profile in sorted(profiles):
        groups.setdefault(ids.text(members[profile]), []).append(ids.text(profile))
    return groups


def _edges(facts: Facts, resolution: Resolution) -> dict[Key, list[dict[str, object]]]:
    """The values that hold profiles together now, each with its holders: by the first of them,
    which are all of one set, since what joins them makes them one member."""
    edges: dict[Key, list[dict[str, object]]] = defaultdict(list)
    for (kind, value), holders in sorted(_holders(facts).items()):
        joined = [
            profile
            for profile in sorted(holders)
            if resolution.standings[profile, kind, value].name == matching.JOINS
        ]
        if len(joined) > 1:
            named: dict[str, object] = {"identifier_type": kind, "value_hmac": ids.text(value)}
            held = [ids.text(profile) for profile in joined]
            edges[joined[0]].append(named | {"profiles": held})
    return edges


async def _set_standings(connection: Connection, known: Known, resolution: Resolution) -> None:
    changed = {
        at: standing
        for at, standing in sorted(resolution.standings.items())
        if known.standings[at] != standing
    }
    if changed:
        await connection.execute(
            queries("membership")["set_standings"],
            [profile for profile, _, _ in changed],
            [kind for _, kind, _ in changed],
            [value for _, _, value in changed],
            [standing.name for standing in changed.values()],
            [standing.valid_to for standing in changed.values()],
        )


async def _follow_cases(
    connection: Connection, work: Work, known: Known, resolution: Resolution
) -> None:
    """Open a case for what a person has to look at; close those that nothing speaks for now."""
    looked_at = {at[1:] for at, s in known.standings.items() if s.name not in _QUIET}
    looked_at |= {(review.type, review.value) for review in resolution.reviews}
    looked_at |= {("", said.left) for said in known.facts.rulings}
    wanted = {_case_id(r.kind, r.type, r.value): _case(r) for r in resolution.reviews}
    candidates = {_case_id(kind, *value) for kind in matching.REVIEWS for value in looked_at}
    await cases.follow(connection, wanted, candidates, work.received_at)


def _case_id(kind: str, identifier_type: str, value: Key) -> Key:
    return derived(kind, identifier_type.encode(), value)


def _case(review: Review) -> cases.Case:
    profiles = [ids.text(profile) for profile in review.profiles]
    if not review.type:
        return cases.Case(review.kind, "profiles", "/".join(profiles), {"profiles": profiles})
    named = f"{review.type}/{ids.text(review.value)}"
    detail = {"identifier_type": review.type, "profiles": profiles}
    return cases.Case(review.kind, "identifier", named, detail)
