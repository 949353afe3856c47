"""The syntax tree of a checked CEL expression, read from its serialized form.

The library checks and runs expressions but shows no tree; what it serializes is the standard
`cel.expr.CheckedExpr`, of which this reads the few parts that limits need.
"""

from collections.abc import Iterator
from typing import Any

from msgspec import Struct


class Node(Struct):
    """One node. kind: const, ident, select, call, list, struct, loop. name: of the identifier,
    field, function or loop variable; value: of a constant, True of a select that only asks whether
    the field is there."""

    id: int
    kind: str
    name: str = ""
    value: Any = None
    children: list["Node"] = []
    step: "Node | None" = None
    accumulator: str = ""


class Tree(Struct):
    """The root, the functions chosen for calls, and where nodes stand in the text."""

    root: Node
    overloads: dict[int, list[str]]
    offsets: dict[int, int]


def read(serialized: bytes) -> Tree:
    """The tree of what `Expression.serialize` gives."""
    checked = dict(_parts(serialized))[2]
    overloads: dict[int, list[str]] = {}
    offsets: dict[int, int] = {}
    root: Node | None = None
    for number, part in _parts(checked):
        if number == 2:
            entry = dict(_parts(part))
            chosen = [_text(v) for n, v in _parts(entry.get(2, b"")) if n == 3]
            overloads[entry.get(1, 0)] = chosen
        elif number == 4:
            root = _node(part)
        elif number == 5:
            for inner, value in _parts(part):
                if inner == 4:
                    entry = dict(_parts(value))
                    offsets[entry.get(1, 0)] = entry.get(2, 0)
    assert root is not None
    return Tree(root, overloads, offsets)


def walk(node: Node) -> Iterator[Node]:
    """The node and all below it."""
    yield node
    for child in node.children:
        yield from walk(child)


def _node(part: bytes) -> Node:
    found = Node(0, "const")
    for number, value in _parts(part):
        if number == 2:
            found.id = value
        elif number == 3:
            found.value = _constant(value)
        elif number in _READERS:
            _READERS[number](found, list(_parts(value)))
    return found


def _constant(part: bytes) -> Any:
    for number, value in _parts(part):
        if number == 6:
            return _text(value)
        if number in (3, 4):
            return value
        if number == 5:
            return 0.0
        if number == 2:
            return bool(value)
    return None


def _ident(node: Node, parts: list[tuple[int, Any]]) -> None:
    node.kind, node.name = "ident", _text(dict(parts).get(1, b""))


def _select(node: Node, parts: list[tuple[int, Any]]) -> None:
    found = dict(parts)
    node.kind, node.name = "select", _text(found[2])
    node.children = [_node(found[1])]
    node.value = True if found.get(3) else None


def _call(node: Node, parts: list[tuple[int, Any]]) -> None:
    node.kind = "call"
    node.name = _text(dict(parts)[2])
    node.children = [_node(value) for number, value in parts if number in (1, 3)]


def _list(node: Node, parts: list[tuple[int, Any]]) -> None:
    node.kind = "list"
    node.children = [_node(value) for number, value in parts if number == 1]


def _struct(node: Node, parts: list[tuple[int, Any]]) -> None:
    node.kind = "struct"
    for number, entry in parts:
        if number == 2:
            node.children += [_node(value) for inner, value in _parts(entry) if inner in (3, 4)]


def _loop(node: Node, parts: list[tuple[int, Any]]) -> None:
    found = dict(parts)
    node.kind, node.name = "loop", _text(found[1])
    node.accumulator = _text(found[3])
    node.step = _node(found[6])
    node.children = [
        _node(found[2]),
        _node(found[4]),
        _node(found[5]),
        node.step,
        _node(found[7]),
    ]


_READERS = {4: _ident, 5: _select, 6: _call, 7: _list, 8: _struct, 9: _loop}


_FIXED = {1: 8, 5: 4}


def _text(value: bytes) -> str:
    return value.decode("utf-8", "replace")


def _parts(data: bytes) -> Iterator[tuple[int, Any]]:
    """The fields of a protobuf message: number and value."""
    place = 0
    while place < len(data):
        key, place = _varint(data, place)
        if key & 7 == 0:
            value, place = _varint(data, place)
        else:
            size, place = (
                _varint(data, place) if key & 7 == 2 else (8 if key & 7 == 1 else 4, place)
            )
            value, place = data[place : place + size], place + size
        yield key >> 3, value


def _varint(data: bytes, place: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[place]
        place += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, place
        shift += 7
