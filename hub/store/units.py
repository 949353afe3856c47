"""Units of items: what is sold by the piece is not promised in parts.

Only the hub's own decisions are refused. A channel that reports half a piece has sold it: that is a
fact, and stock follows it.
"""

from collections.abc import Iterable

from hub.domain import money
from hub.errors import Refused
from hub.store.db import Connection, queries

MILLI = 10**money.QUANTITY_DIGITS
PIECES = frozenset(
    {"piece", "pieces", "pc", "pcs", "each", "ea", "box", "个", "件", "只", "盒", "份", "张", "支"}
)
"""Units that count whole things, as catalogs write them; all others can be parted, and none too."""


async def refuse_parts(connection: Connection, wanted: Iterable[tuple[str, int]]) -> None:
    """Refuse parts of pieces; wanted: (sku, thousandths). Asks only about what is no whole."""
    parted = {sku: milli for sku, milli in wanted if milli % MILLI}
    if not parted:
        return
    rows = await connection.fetch(queries("catalog")["units"], sorted(parted))
    for sku, unit in rows:
        if unit.strip().lower() in PIECES:
            quantity = money.decimal_text(parted[sku], money.QUANTITY_DIGITS)
            raise Refused(
                "part_of_a_piece",
                f"{sku} is sold by the {unit}: {quantity} is no whole number",
                sku=sku,
                unit=unit,
                quantity=quantity,
            )
