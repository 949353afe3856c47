"""Tiers in Postgres: the levels of members, told anew when what they follow from changes.

That is growth, profiles, schemes, reviews. Rows follow from them alone, so those of a member are
replaced as a whole. What a level is: `hub.domain.tiers`; what time alone changes, and gifts:
`hub.store.tier_reviews`.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping

from hub.domain import ids
from hub.domain.envelope import APPLIED, Event
from hub.domain.ids import Key, derived
from hub.domain.tier_gifts import due
from hub.domain.tier_points import Schemes, multiplies
from hub.domain.tier_standing import Change, Standing
from hub.errors import HubError
from hub.store import configs, log, tier_points
from hub.store.db import Connection, Rows, queries
from hub.store.records import Work
from hub.store.tier_people import Person, load

KIND = "tier_scheme"
ROUNDS_MAX = 10
"""Times a write looks again because a merge changed its members before it claimed them."""
_TIERS = Rows(
    "member_tiers",
    key=("member_id", "scheme"),
    columns={
        "member_id": "uuid",
        "scheme": "text",
        "level": "text",
        "since_at": "timestamptz",
        "valid_until": "timestamptz",
        "value": "bigint",
        "scheme_version": "int",
        "due_at": "timestamptz",
        "has_gifts_due": "boolean",
    },
)
_CHANGES = Rows(
    "tier_changes",
    key=("member_id", "scheme", "number"),
    columns={
        "member_id": "uuid",
        "scheme": "text",
        "number": "int",
        "changed_at": "timestamptz",
        "level_before": "text",
        "level": "text",
        "cause": "text",
        "event_key": "uuid",
        "scheme_version": "int",
    },
)
_GIFTS = Rows(
    "tier_gifts",
    key=("profile_id", "scheme", "level", "reached_at"),
    columns={
        "profile_id": "uuid",
        "scheme": "text",
        "level": "text",
        "reached_at": "timestamptz",
        "valid_until": "timestamptz",
        "code": "text",
        "issued_at": "timestamptz",
    },
)


class MembersChange(HubError):
    """Merges of the same people kept running ahead: the write is to be tried again."""


async def apply(connection: Connection, work: Work) -> None:
    """Keep what was decided about tiers; tell the levels of all members this write touches."""
    decided = work.of("tier")
    published = [event for event in work.of("config") if event.data.kind == KIND]
    # A member is named by one of its profiles, so its old name finds whom somebody was parted from.
    moved = {*work.members_before, *work.members_before.values()}
    seeds = {entry.profile_id for entry in work.growth} | moved
    seeds |= {_profile(event) for event in decided}
    if not seeds and not published and not work.lot_terms:
        return
    await _keep(connection, work, decided)
    if published:
        await connection.execute(queries("tiers")["hold_growth"])
    elif not work.growth:
        # Not by schemes that somebody publishes a version of before this write is done: what enters
        # growth is held back by that, and so is this.
        await connection.execute(queries("tiers")["join_growth"])
    schemes: Schemes = await configs.versions(connection, KIND)
    for event in published:
        starts_at = event.data.valid_from or event.occurred_at
        named = (event.data.name, starts_at)
        await connection.execute(queries("tiers")["place"], *named)
        rows = await connection.fetch(queries("tiers")["told_beyond"], *named)
        seeds |= {row["profile_id"] for row in rows}
    if multiplies(schemes):
        seeds |= {granted.profile_id for granted in work.lot_terms.values()}
    if schemes and seeds:
        people = await claim(connection, seeds)
        await _tell(connection, work, schemes, await load(connection, schemes, people))


async def mates(connection: Connection, seeds: Iterable[Key]) -> dict[Key, list[Key]]:
    """The members of these profiles, each with all its profiles."""
    members: dict[Key, list[Key]] = defaultdict(list)
    for row in await connection.fetch(queries("tiers")["mates"], sorted(seeds)):
        members[row["member_id"]].append(row["profile_id"])
    return members


async def claim(
    connection: Connection, seeds: set[Key], what: str = "tier"
) -> dict[Key, list[Key]]:
    """The members of these profiles, held back from other writes of tiers, or of `what`.

    Two writes about two profiles of one member would each tell it without the other's entries.
    """
    claimed: set[Key] = set()
    for _ in range(ROUNDS_MAX):
        members = await mates(connection, seeds)
        wanted = {derived(what, profile) for held in members.values() for profile in held}
        if wanted <= claimed:
            return members
        await log.claim(connection, wanted)
        claimed |= wanted
    raise MembersChange


async def _keep(connection: Connection, work: Work, decided: list[Event]) -> None:
    reviews, gifts, recalled = [], [], []
    for event in decided:
        work.verdicts[event.key] = APPLIED
        said = event.data
        if event.type == "tier.reviewed":
            reviews.append((_profile(event), said.scheme, said.through))
        elif event.type == "tier.gift_issued":
            named = (_profile(event), said.scheme, said.level, said.reached_at)
            gifts.append((*named, said.valid_until, said.code, event.occurred_at))
        else:
            recalled.append((said.code, event.occurred_at))
    sql = queries("tiers")
    if reviews:
        await connection.execute(sql["review"], *map(list, zip(*reviews, strict=True)))
    await _GIFTS.insert_new(connection, gifts)
    if recalled:
        await connection.execute(sql["recall"], *map(list, zip(*recalled, strict=True)))


def _profile(event: Event) -> Key:
    return ids.parse(event.data.profile_id)


async def _tell(
    connection: Connection, work: Work, schemes: Schemes, people: Mapping[Key, Person]
) -> None:
    """Tell and write the levels of these people, and what their orders earn by them."""
    rows, changes = [], []
    told: list[tuple[Person, dict[str, Standing]]] = []
    for member, person in people.items():
        standings: dict[str, Standing] = {}
        told.append((person, standings))
        for name, versions in schemes.items():
            until = person.told_until(name)
            if until is None:
                continue
            standings[name] = standing = person.standing(versions, until)
            is_due = bool(due(standing, person.gifts[name], until))
            rows.append(_row(member, name, standing, is_due))
            changes += [
                (member, name, number, *_change_row(change))
                for number, change in enumerate(standing.changes, start=1)
            ]
    # A member is named by one of its profiles: whom a merge left without any goes with them.
    named = sorted({profile for person in people.values() for profile in person.profiles})
    await connection.execute(queries("tiers")["forget"], named)
    await connection.execute(queries("tiers")["forget_changes"], named)
    await _TIERS.insert(connection, rows)
    await _CHANGES.insert(connection, changes)
    if multiplies(schemes):
        await tier_points.note(connection, work, schemes, told)


def _row(member: Key, scheme: str, standing: Standing, is_due: bool) -> tuple[object, ...]:
    return (
        member,
        scheme,
        standing.level,
        standing.since,
        standing.valid_until,
        standing.value,
        standing.version,
        standing.due_at,
        is_due,
    )


def _change_row(change: Change) -> tuple[object, ...]:
    return (
        change.at,
        change.level_before,
        change.level,
        change.cause,
        change.event_key,
        change.version,
    )
