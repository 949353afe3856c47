"""A channel's configuration: which pack it speaks by, its state, its settings. Pure.

Kinds `channel` (a document by channel) and `channel_pack` (by pack, its file as it was uploaded).
Secrets are no configuration: `hub.store.channels` keeps them sealed. What packs say and whether
they hold is checked where they are uploaded, by `hub.channels`.
"""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from hub.domain.documents import Document, convert

KIND = "channel"
PACK_KIND = "channel_pack"
SKUS_MAX = 20_000
State = Literal["draft", "shadow", "live", "off"]
TAKING: frozenset[str] = frozenset({"shadow", "live"})
"""States in which pushes are taken; in shadow the hub sends nothing out."""
_Name = Annotated[str, Meta(min_length=1, max_length=128)]
_Value = Annotated[str, Meta(max_length=1_024)]
PackName = Annotated[str, Meta(pattern="^[a-z][a-z0-9_]{0,39}$")]


class Channel(Struct, frozen=True, forbid_unknown_fields=True):
    """`pack_version` None: the newest. `skus`: the hub's SKU of the channel's own."""

    pack: PackName
    state: State = "draft"
    pack_version: Annotated[int, Meta(ge=1)] | None = None
    settings: Annotated[dict[_Name, _Value], Meta(max_length=50)] = {}
    skus: Annotated[dict[_Name, _Name], Meta(max_length=SKUS_MAX)] = {}


class PackFile(Struct, frozen=True, forbid_unknown_fields=True):
    """A pack as it was uploaded, comments and all."""

    pack: PackName
    version: Annotated[int, Meta(ge=1)]
    text: Annotated[str, Meta(min_length=1, max_length=512 * 1024)]


def read(document: Document) -> Channel:
    """The channel that a document describes. Raises `BadDocument`."""
    return convert(document, Channel)


def read_pack(document: Document) -> PackFile:
    """The pack's file that a document holds. Raises `BadDocument`."""
    return convert(document, PackFile)
