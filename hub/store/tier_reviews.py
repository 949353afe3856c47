"""Reviewing tiers: what time alone changes is decided, gifts are issued and taken back.

Late or twice, it ends in the same state: levels are told by when things happened. What a level is:
`hub.domain.tiers`; rows: `hub.store.tiers`.
"""

import secrets
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from hub.domain import coupon_codes, ids
from hub.domain.coupon_codes import normalise_code
from hub.domain.decisions import Decision
from hub.domain.ids import Key
from hub.domain.tier_gifts import Issued, due
from hub.domain.tier_standing import Award
from hub.store import commands, configs, log, tier_people, tiers
from hub.store.db import Connection, queries
from hub.store.sealing import Vault
from hub.store.tier_people import Person
from hub.store.tiers import KIND
from hub.store.wallets import now

REVIEWED_AT_ONCE_MAX = 100
"""What one transaction reviews: nobody waits long for a member it holds."""
_UNUSED = ("issued", "claimed", "frozen")


async def review_due(connection: Connection, vault: Vault) -> int:
    """Review the members whose level time has changed, and settle their gifts; how many, at most
    REVIEWED_AT_ONCE_MAX. To be called until it is 0."""
    at = await now(connection)
    rows = await connection.fetch(queries("tiers")["due"], at, REVIEWED_AT_ONCE_MAX)
    if not rows:
        return 0
    members = await tiers.claim(connection, {row["member_id"] for row in rows})
    # Another process may have been faster while this one waited.
    rows = await connection.fetch(queries("tiers")["due"], at, REVIEWED_AT_ONCE_MAX)
    schemes = await configs.versions(connection, KIND)
    people = await tier_people.load(connection, schemes, members)
    decided: list[Decision] = []
    for row in rows:
        person = people.get(row["member_id"])
        if person is None:
            continue
        name = row["scheme"]
        decided += [_reviewed(profile, name, at) for profile in person.profiles]
        if name in schemes:
            review = _Review(name, at, row["member_id"])
            standing = person.standing(schemes[name], at)
            gifts = due(standing, person.gifts[name], at)
            decided += await review.awards(connection, gifts.awards)
            decided += await review.recalls(connection, gifts.recalls, person)
    if decided:
        await commands.run(connection, vault, decided, at)
    return len(decided)


def _reviewed(profile: Key, scheme: str, at: datetime) -> Decision:
    named = ids.text(profile)
    data = {"profile_id": named, "scheme": scheme, "through": at}
    return Decision("tier.reviewed", "", "", named, data)


class _Review:
    """What a review of one member in one scheme decides about gifts."""

    def __init__(self, name: str, at: datetime, member: Key) -> None:
        self._name = name
        self._at = at
        self._member = member

    async def awards(self, connection: Connection, awards: Iterable[Award]) -> list[Decision]:
        """The coupons for levels that were reached, to the account that names the member."""
        decided: list[Decision] = []
        for award in awards:
            code = coupon_codes.make_code(secrets.randbits(coupon_codes.RANDOM_BITS))
            data = self._named(self._member, award.level, award.since, award.until) | {"code": code}
            decided.append(Decision("tier.gift_issued", "", "", data["profile_id"], data))
            account = await connection.fetchrow(queries("tiers")["account"], self._member)
            if account is None or not account["account"]:
                # The person was erased: nobody is there to have it.
                continue
            gift = award.gift
            coupon: dict[str, Any] = {
                "code": code,
                "kind": gift.kind,
                "template": gift.template,
                "account": account["account"],
                "valid_until": self._at + timedelta(days=gift.valid_days),
            }
            decided.append(Decision("coupon.issued", account["channel"], "", code, coupon))
        return decided

    async def recalls(
        self, connection: Connection, gifts: Iterable[Issued], person: Person
    ) -> list[Decision]:
        """Take gifts back; one that was used stays with who used it."""
        decided = []
        for gift in gifts:
            coupon_id = ids.coupon_id(normalise_code(gift.code))
            await log.claim(connection, [coupon_id])
            row = await connection.fetchrow(queries("tiers")["coupon_of_gift"], coupon_id)
            if row is not None and row["status"] in _UNUSED and not row["uses_redeemed"]:
                data = {"code": gift.code, "reason": "the level was not kept"}
                decided.append(Decision("coupon.voided", row["channel"], "", gift.code, data))
            named = self._named(person.profiles[0], gift.level, gift.reached_at, gift.until)
            data = named | {"code": gift.code}
            decided.append(Decision("tier.gift_recalled", "", "", named["profile_id"], data))
        return decided

    def _named(
        self, profile: Key, level: str, reached_at: datetime, until: datetime | None
    ) -> dict[str, Any]:
        named: dict[str, Any] = {
            "profile_id": ids.text(profile),
            "scheme": self._name,
            "level": level,
            "reached_at": reached_at,
        }
        return named | ({"valid_until": until} if until is not None else {})
