"""The door for packs and channels: what may be put in force, and why not.

Both the API and the command line go through here. Keeping it: `hub.store.channels`.
"""

from hub.channels import pack as packs
from hub.channels import samples, shipped
from hub.channels.pack import Pack
from hub.channels.samples import failures as failures
from hub.domain.channels import TAKING, Channel, PackFile
from hub.domain.documents import BadDocument


def read(text: str) -> Pack:
    """The pack in a file, its samples not yet tried. BadDocument names the place that is wrong."""
    return packs.read(shipped.document_of(text))


def pack(text: str) -> Pack:
    """The pack in a file, all of whose samples come out as they say. Raises `BadDocument`."""
    found = read(text)
    samples.check(found)
    return found


def for_channel(channel: Channel, file: PackFile | None) -> Pack:
    """The pack a channel speaks by. BadDocument if there is none, or a setting is missing."""
    if file is not None:
        found = read(file.text)
    elif channel.pack in shipped.names():
        found = shipped.pack(channel.pack)
        if channel.pack_version not in (None, found.version):
            raise BadDocument(f"version {channel.pack_version} was not uploaded", "$.pack_version")
    else:
        known = ", ".join(shipped.names())
        raise BadDocument(f"there is no pack '{channel.pack}'; shipped are {known}", "$.pack")
    missing = sorted(found.settings.keys() - channel.settings.keys())
    if missing and channel.state in TAKING:
        raise BadDocument(f"say '{missing[0]}': {found.settings[missing[0]]}", "$.settings")
    return found
