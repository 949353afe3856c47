"""The channels as one API process knows them: read again when CHANNEL_CACHE_S old, so that what is
published is live within a second everywhere, without a restart.

What is in force is `hub.store.channels`'s, what a pack says `hub.channels`'s.
"""

import time
from collections import OrderedDict
from dataclasses import dataclass

import structlog

from hub.channels import pack as packs
from hub.channels import shipped
from hub.channels.pack import Pack
from hub.channels.requests import Given
from hub.domain.channels import PackFile
from hub.domain.documents import BadDocument
from hub.store import channels
from hub.store.channels import Found
from hub.store.sealing import Vault
from hub_api.limits import CHANNEL_CACHE_MAX, CHANNEL_CACHE_S
from hub_api.postgres import Database, PostgresAwayError

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Known:
    """A channel with its pack, read; pack None: it cannot be read any more."""

    state: str
    pack: Pack | None
    given: Given


class Channels:
    """Finds channels by name."""

    def __init__(self, database: Database, vault: Vault) -> None:
        self._database = database
        self._vault = vault
        self._known: OrderedDict[str, tuple[float, Known | None]] = OrderedDict()
        self._packs: dict[PackFile | str, Pack | None] = {}

    async def find(self, name: str) -> Known | None:
        """The channel; None if there is none. With Postgres away, what was known of it last."""
        read_at = time.monotonic()
        before = self._known.get(name)
        if before is not None and read_at - before[0] < CHANNEL_CACHE_S:
            return before[1]
        if before is not None:
            # Who comes while one reads goes by what was known: a burst is one read.
            self._known[name] = (read_at, before[1])
        try:
            found = await self._database.write(
                lambda connection: channels.find(connection, self._vault, name)
            )
        except PostgresAwayError:
            if before is None:
                raise
            return before[1]
        known = self._read(name, found) if found is not None else None
        self._known[name] = (read_at, known)
        self._known.move_to_end(name)
        if len(self._known) > CHANNEL_CACHE_MAX:
            self._known.popitem(last=False)
        return known

    def _read(self, name: str, found: Found) -> Known:
        channel = found.channel
        given = Given(name, channel.settings, found.secrets, channel.skus)
        return Known(channel.state, self._pack(found), given)

    def _pack(self, found: Found) -> Pack | None:
        key = found.pack_file or found.channel.pack
        if key not in self._packs:
            if len(self._packs) > CHANNEL_CACHE_MAX:
                self._packs.clear()
            self._packs[key] = _pack_of(key)
        return self._packs[key]


def _pack_of(source: PackFile | str) -> Pack | None:
    try:
        if isinstance(source, str):
            return shipped.pack(source)
        return packs.read(shipped.document_of(source.text))
    except (BadDocument, KeyError) as error:
        # It was checked when it was uploaded: this version of the hub reads packs otherwise.
        _log.error("pack_unreadable", cause=type(error).__name__)
        return None
