"""Coupons of which a person may use one: who used several of a template is a case, since shops may
have given the goods. Not here: whether one coupon can be used (`hub.domain.coupon_rights`).

A person is a member, so accounts that are joined may have used two before, which stays and is
flagged; parted again, each has used one, and the case closes.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping

from hub.domain import ids
from hub.domain.coupon_state import CouponState
from hub.domain.coupons import Folded
from hub.domain.ids import Key
from hub.errors import Refused
from hub.store import cases, tiers
from hub.store.db import Connection, queries
from hub.store.records import Work

CASE = "coupon_once_per_person"
_USES = frozenset({"coupon.reserved", "coupon.redeemed"})
Used = dict[tuple[Key, str], dict[Key, set[Key]]]
"""By member and template: the coupons used, each with the profiles that did. None where each use
was undone."""


async def follow(
    connection: Connection, work: Work, was: Mapping[Key, Folded], now: Mapping[Key, Folded]
) -> None:
    """Open and close the cases of all whom this write touches; refuse the hub a second use.

    was, now: the coupons of this write. Nothing is read where none has such terms and nobody was
    joined or parted.
    """
    concerned = {key: one for key, folded in now.items() if _is_limited(one := folded.state)}
    asked = _asked(work, concerned) if work.is_decision else {}
    users = {
        user
        for key, state in concerned.items()
        for one in (was[key].state, state)
        for user in _users(one)
    }
    moved = {*work.members_before, *work.members_before.values()}
    if not (seeds := users | moved | set(asked.values())):
        return
    members = await tiers.claim(connection, seeds, "coupon-person")
    named = {profile: member for member, held in members.items() for profile in held}
    used = await _used(connection, named)
    for coupon_id, profile in asked.items():
        _refuse(coupon_id, used.get((named.get(profile, profile), _template(now[coupon_id])), {}))
    templates = {template for _, template in used} | {_template(now[key]) for key in concerned}
    found = {
        f"{ids.text(member)}/{template}": _detail(template, used.get((member, template), {}))
        for member in {*members, *moved}
        for template in templates
    }
    await cases.follow_objects(connection, CASE, "member_template", found, work.received_at)


def _is_limited(state: CouponState) -> bool:
    issue = state.issue
    return issue is not None and issue.terms.once_per_person and issue.template is not None


def _template(folded: Folded) -> str:
    issue = folded.state.issue
    assert issue is not None
    return issue.template or ""


def _users(state: CouponState) -> Iterator[Key]:
    """The profiles that used a coupon, or hold it."""
    if state.account is not None:
        yield ids.profile_id(*state.account)
    for one in state.redemptions.values():
        if one.use.account is not None:
            yield ids.profile_id(one.channel, one.use.account)


def _asked(work: Work, concerned: Mapping[Key, CouponState]) -> dict[Key, Key]:
    """Of the coupons that the hub is asked to use or to hold, for which profile."""
    asked = {}
    for event in work.of("coupon"):
        state = concerned.get(event.entity_key)
        if state is None or event.type not in _USES:
            continue
        account = state.account
        if event.data.account is not None:
            account = (event.channel, event.data.account)
        if account is not None:
            asked[event.entity_key] = ids.profile_id(*account)
    return asked


async def _used(connection: Connection, members: Mapping[Key, Key]) -> Used:
    rows = await connection.fetch(queries("coupons")["used_by_persons"], sorted(members))
    used: Used = defaultdict(dict)
    for row in rows:
        coupons = used[members[row["profile_id"]], row["template"]]
        if row["is_live"]:
            coupons.setdefault(row["coupon_id"], set()).add(row["profile_id"])
    return used


def _refuse(coupon_id: Key, used: Mapping[Key, set[Key]]) -> None:
    if used.keys() - {coupon_id}:
        raise Refused("once_per_person", "this person has used a coupon of this kind already")


def _detail(template: str, used: Mapping[Key, set[Key]]) -> dict[str, object] | None:
    if len(used) < 2:
        return None
    profiles = {profile for by in used.values() for profile in by}
    return {
        "template": template,
        "coupons": [ids.text(coupon_id) for coupon_id in sorted(used)],
        "profiles": [ids.text(profile) for profile in sorted(profiles)],
    }
