"""Packs as files: those that the hub is shipped with, and reading one from YAML.

YAML is read as data only: no tags, no aliases, no key twice, and a time or `on` stays text.
"""

import re
from functools import cache
from importlib.resources import files
from typing import Any

import yaml

from hub.channels import pack as packs
from hub.channels.pack import Pack
from hub.domain.documents import BadDocument, Document

FILE_BYTES_MAX = 512 * 1024
_STRICT = "tag:yaml.org,2002:"


class _Loader(yaml.SafeLoader):
    """Without aliases, which grow, and without guesses at times and booleans."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.AliasEvent):
            raise yaml.YAMLError("aliases (*name) are not read: write the part out")
        return super().compose_node(parent, index)

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
        made = super().construct_mapping(node, deep)
        if len(made) != len(node.value):
            raise yaml.YAMLError(f"a key stands twice, line {node.start_mark.line + 1}")
        return made


_Loader.yaml_implicit_resolvers = {
    sign: [
        (tag, pattern)
        for tag, pattern in resolvers
        if tag not in (f"{_STRICT}timestamp", f"{_STRICT}bool", f"{_STRICT}merge")
    ]
    for sign, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver(f"{_STRICT}bool", re.compile("^(?:true|false)$"), list("tf"))


def document_of(text: str) -> Document:
    """The document in a YAML text. BadDocument says where it cannot be read."""
    if len(text.encode()) > FILE_BYTES_MAX:
        raise BadDocument(f"a pack has at most {FILE_BYTES_MAX} bytes")
    try:
        found = yaml.load(text, Loader=_Loader)  # a safe loader, made stricter
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise BadDocument(f"it is no YAML: {' '.join(str(error).split())[:300]}") from None
    if not isinstance(found, dict):
        raise BadDocument("a pack is an object")
    return found


@cache
def names() -> list[str]:
    """The packs that the hub is shipped with."""
    folder = files("hub.channels") / "packs"
    return sorted(f.name[:-5] for f in folder.iterdir() if f.name.endswith(".yaml"))


@cache
def text(name: str) -> str:
    """A shipped pack as its file. KeyError if there is none."""
    if name not in names():
        raise KeyError(name)
    return (files("hub.channels") / "packs" / f"{name}.yaml").read_text("utf-8")


@cache
def pack(name: str) -> Pack:
    """A shipped pack. KeyError if there is none."""
    return packs.read(document_of(text(name)))
