"""Find anything: what a piece of text may name, over all channels and shops.

For readers of the house only: no viewer is asked for. Identifiers come as keyed digests.
"""

from typing import Any
from uuid import UUID

from hub.domain import identifiers, ids
from hub.domain.coupon_codes import normalise_code
from hub.domain.decisions import SOURCE
from hub.domain.ids import Key
from hub.store.reads import members
from hub.store.reads.queries import Connection, Row, load, rows
from hub.store.reads.viewer import Viewer
from hub.store.sealing import Vault

IDENTIFIER_TYPES = ("phone", "email", "card", "crm_id", "unionid")
_SQL = load("search")
_EVERYTHING = Viewer(None)


class Search:
    """One text, looked for among all nouns; each method is one noun's answer, at most 20 rows."""

    def __init__(self, connection: Connection, vault: Vault, text: str) -> None:
        """text: cleaned, as `hub_api` does it."""
        self._connection = connection
        self._vault = vault
        self._text = text
        self._spellings = list(dict.fromkeys((text, text.upper(), text.lower())))

    async def members(self, shops: list[tuple[str, str]]) -> list[Row]:
        """Members by an identifier, an account's name or an id; those who proved it first."""
        found: dict[Any, Row] = {}
        for kind in IDENTIFIER_TYPES:
            value = identifiers.normalise(kind, self._text)
            if value is not None:
                digest = self._vault.value_hmac(kind, value)
                for row in await members.holders(self._connection, _EVERYTHING, kind, digest):
                    found.setdefault(row["member_id"], row | {"by": kind})
        channels = {channel for channel, _ in shops}
        profiles = [ids.profile_id(c, one) for c in sorted(channels) for one in self._spellings]
        named = await self._rows("members_of_profiles", [*profiles, *self._ids()])
        for row in named:
            found.setdefault(row["member_id"], row | {"by": "account"})
        return list(found.values())

    async def orders(self, shops: list[tuple[str, str]]) -> list[Row]:
        """Orders by their number, in each shop that has it, or by id."""
        keys = [ids.order_id(*shop, one) for shop in shops for one in self._spellings]
        return await self._rows("orders", [*keys, *self._ids()])

    async def coupons(self) -> list[Row]:
        """The coupon of this code, however it is written, or of this id."""
        code = ids.coupon_id(normalise_code(self._text))
        return await self._rows("coupons", [code, *self._ids()])

    async def items(self) -> list[Row]:
        """The item of this SKU."""
        return await self._rows("items", self._spellings)

    async def events(self, shops: list[tuple[str, str]]) -> list[Row]:
        """The events of this id, of whichever shop, or the hub's own."""
        sources = [f"/channels/{channel}/shops/{shop}" for channel, shop in shops]
        keys = [ids.event_key(source, self._text) for source in (SOURCE, *sources)]
        found = await self._rows("events", keys)
        profiles = [row["entity_key"] for row in found if row["entity_kind"] == "profile"]
        for row in found:
            row["member_id"] = None
        for profile in profiles:
            holders = await self._rows("members_of_profiles", [profile])
            for row in found:
                if row["entity_key"] == profile and holders:
                    row["member_id"] = holders[0]["member_id"]
        return found

    async def shops(self) -> list[tuple[str, str]]:
        """Every channel and shop."""
        return [(r["channel"], r["shop"]) for r in await rows(self._connection, _SQL["shops"])]

    async def _rows(self, query: str, *arguments: Any) -> list[Row]:
        return await rows(self._connection, _SQL[query], *arguments)

    def _ids(self) -> list[Key]:
        try:
            return [UUID(self._text).bytes]
        except ValueError:
            return []
