"""Members, their profiles, identifiers and timeline, as far as a viewer may see them."""

from hub.domain.ids import Key
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
