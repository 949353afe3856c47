"""Coupons and their redemptions, as far as a viewer may see them."""

from hub.domain.ids import Key
from hub.store.reads.queries import Connection, Row, load, row, rows
from hub.store.reads.viewer import Page, Viewer

_SQL = load("coupons")


async def get(connection: Connection, viewer: Viewer, coupon_id: Key) -> Row | None:
    """A coupon, None if there is none the viewer may see."""
    return await row(connection, _SQL["get"], *viewer.arguments, coupon_id)


async def redemptions(connection: Connection, viewer: Viewer, coupon_id: Key) -> list[Row]:
    """Its redemptions that the viewer may see, in time order; at most 1,000."""
    return await rows(connection, _SQL["redemptions"], *viewer.arguments, coupon_id)


async def of_profiles(connection: Connection, profile_ids: list[Key], page: Page) -> list[Row]:
    """Coupons these profiles hold or may claim, newest first; keyset (listed_at, coupon_id)."""
    return await rows(connection, _SQL["of_profiles"], profile_ids, *page.keyset(2), page.limit)


async def wallet(connection: Connection, profile_ids: list[Key], limit: int) -> list[str]:
    """Codes of the coupons these profiles hold and may still use, those that end first before."""
    return [one["code"] for one in await rows(connection, _SQL["wallet"], profile_ids, limit)]
