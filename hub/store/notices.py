"""Whether a person may be told something now: what they allowed, and what they were told before.

A notice is an effect of a rule that was done: no row of its own. Who is asked about stays locked
until the caller's transaction ends, so that no two rules take the last place under one cap.
Policies: `hub.domain.notices`.
"""

from datetime import datetime, timedelta

from msgspec import Struct

from hub.domain import ids, notices
from hub.domain.ids import Key, derived
from hub.domain.notices import Policy
from hub.errors import Refused
from hub.store import configs, log
from hub.store.db import Connection, queries

MEDIA = ("email", "phone", "post", "push", "sms", "wechat")


class Notice(Struct, frozen=True):
    """Whom a rule wants to tell something, for what purpose, by what medium."""

    channel: str
    account: str
    purpose: str
    medium: str

    @property
    def profile_id(self) -> Key:
        return ids.profile_id(self.channel, self.account)


class Answer(Struct, frozen=True):
    """later: from when it may be asked again; withheld: why the person is not told (`no_consent`,
    `frequency_cap`); neither: they may be told now."""

    later: datetime | None = None
    withheld: str | None = None


async def may_tell(connection: Connection, notice: Notice, here: datetime) -> Answer:
    """Whether the person may be told, at a time of the business's zone. Raises `Refused` for an
    account that nobody knows, or a medium that does not exist."""
    if notice.medium not in MEDIA:
        raise Refused("unknown_medium", f"a medium is one of {', '.join(MEDIA)}")
    member_id = await connection.fetchval(queries("notices")["member_of"], notice.profile_id)
    if member_id is None:
        raise Refused("no_account", "the hub knows no such account of the channel")
    policy = await configs.one(connection, notices.KIND, notices.NAME, here) or Policy()
    if notice.purpose in policy.free:
        return Answer()
    await log.claim(connection, [derived("notices", member_id)])
    consent = (member_id, notice.purpose, notice.medium)
    if not await connection.fetchval(queries("notices")["consent"], *consent):
        return Answer(withheld="no_consent")
    cap = policy.cap_of(notice.purpose)
    if cap is not None:
        since = here - timedelta(days=cap.days)
        asked = (member_id, notice.purpose, since)
        told = await connection.fetchval(queries("notices")["told_since"], *asked)
        if (told or 0) >= cap.max:
            return Answer(withheld="frequency_cap")
    return Answer(later=policy.quiet_until(here))
