"""Members, their profiles, identifiers and timeline, as far as a viewer may see them."""

from datetime import datetime

from hub.domain import ids
from hub.domain.ids import Key
from hub.domain.survivorship import Said
from hub.store.reads.queries import Connection, Row, load, row, rows
from hub.store.reads.viewer import Page, Viewer

_SQL = load("members")


async def survivor(connection: Connection, viewer: Viewer, member_id: Key) -> Row | None:
    """The member that answers for this id today; None if there is none the viewer may see."""
    return await row(connection, _SQL["survivor"], *viewer.arguments, member_id)


async def profiles(connection: Connection, viewer: Viewer, member_id: Key) -> list[Row]:
    """The member's profiles that the viewer sees; `account` is null for those of others."""
    return await rows(connection, _SQL["profiles"], *viewer.arguments, member_id)


async def identifiers(
    connection: Connection, viewer: Viewer, member_id: Key, page: Page
) -> list[Row]:
    """Identifiers by `valid_from`; keyset (valid_from, profile_id, identifier_type, value_hmac)."""
    return await rows(
        connection,
        _SQL["identifiers"],
        *viewer.arguments,
        member_id,
        *page.keyset(4),
        page.limit,
    )


async def holders(
    connection: Connection, viewer: Viewer, identifier_type: str, value_hmac: Key
) -> list[Row]:
    """Members who hold an identifier now, those who proved it first; at most 20."""
    return await rows(connection, _SQL["holders"], *viewer.arguments, identifier_type, value_hmac)


async def holder_of_profile(connection: Connection, viewer: Viewer, profile_id: Key) -> list[Row]:
    """The member of one account, if it is of the viewer's channel."""
    return await rows(connection, _SQL["holder_of_profile"], *viewer.arguments, profile_id)


async def timeline(
    connection: Connection, viewer: Viewer, profile_ids: list[Key], page: Page
) -> list[Row]:
    """What happened to these profiles, newest first; keyset (occurred_at, event_key)."""
    return await rows(
        connection,
        _SQL["timeline"],
        *viewer.arguments,
        profile_ids,
        *page.keyset(2),
        page.limit,
    )


async def said(connection: Connection, viewer: Viewer, profile_ids: list[Key]) -> list[Said]:
    """What these profiles say of the person; values that are personal stay sealed."""
    found = await rows(connection, _SQL["said"], *viewer.arguments, profile_ids)
    return [
        Said(
            name,
            one["attributes"].get(name),
            one["channel"],
            one["profile_id"],
            datetime.fromisoformat(at),
        )
        for one in found
        for name, at in one["said_at"].items()
    ]


async def consents(connection: Connection, viewer: Viewer, profile_ids: list[Key]) -> list[Row]:
    """What the person allows, by purpose and medium, as each profile last said."""
    return await rows(connection, _SQL["consents"], *viewer.arguments, profile_ids)


async def merges(connection: Connection, member_id: Key) -> list[Row]:
    """The manifests of merges and un-merges that name a member, newest first; at most 200."""
    return await rows(connection, _SQL["merges"], ids.text(member_id))


async def merged_before(connection: Connection, merge_id: Key) -> dict[str, list[str]] | None:
    """Who was which member before a merge: member -> profiles, as text; None without such one."""
    found = await row(connection, _SQL["merge"], merge_id)
    return found["members_before"] if found is not None else None


async def held_by(connection: Connection, profile_ids: list[Key]) -> Row:
    """Points, coupons and orders of these profiles, counted."""
    found = await row(connection, _SQL["held_points"], profile_ids)
    assert found is not None
    return found


async def certificates(connection: Connection, viewer: Viewer, profile_id: Key) -> list[Row]:
    """What became of the data of a profile when it was erased, newest first."""
    return await rows(connection, _SQL["certificates"], *viewer.arguments, profile_id)
