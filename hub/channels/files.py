"""From a table's rows to events, by the part `files` of a pack: the same rules as for pushes.

Rows that cannot be taken are named with their number and the reason; the others have ids of their
own, so a file that is loaded again counts once. Reading files: `hub.channels.tables`.
"""

import unicodedata
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from msgspec import Struct

from hub.channels import codec, conversions, expressions
from hub.channels.codec import Message
from hub.channels.conversions import Unfit
from hub.channels.expressions import Scope, Unmapped
from hub.channels.pack import FilePart, Pack
from hub.channels.paths import MISSING
from hub.channels.requests import Given
from hub.channels.tables import Row, Table
from hub.domain.documents import BadDocument


class Fault(Struct, frozen=True):
    """A row that is not taken: its number, the column, and why."""

    row: int
    column: str
    reason: str


class Loaded(Struct):
    """What a file becomes. columns: the header of each field, guessed; total: the sum of the field
    by which a file is compared with what its system says, over the rows that are taken."""

    columns: dict[str, str]
    events: list[dict[str, Any]]
    faults: list[Fault]
    rows: int
    taken: int = 0
    total: Decimal = Decimal(0)


class Where(Struct, frozen=True):
    """For which shop a file is loaded, as of when, and now."""

    shop: str
    as_of: datetime
    now: datetime


def part_of(pack: Pack, name: str) -> FilePart:
    """The part that reads files of this name. BadDocument if there is none."""
    found = next((part for part in pack.files if part.name == name), None)
    if found is None:
        known = ", ".join(part.name for part in pack.files) or "none"
        raise BadDocument(f"the pack reads no files '{name}', but: {known}", "$.files")
    return found


def columns_of(part: FilePart, headers: list[str]) -> dict[str, str]:
    """The header of each field. BadDocument if one that is needed is missing."""
    by_spelling = {_spelling(header): header for header in headers if header}
    found: dict[str, str] = {}
    for field, names in part.columns.items():
        header = next((by_spelling[s] for n in names if (s := _spelling(n)) in by_spelling), None)
        if header is not None:
            found[field] = header
    missing = next((field for field in part.required if field not in found), None)
    if missing is not None:
        wanted = ", ".join(part.columns.get(missing, [missing]))
        raise BadDocument(f"no column for '{missing}': one of {wanted}", "headers")
    return found


def load(pack: Pack, part: FilePart, given: Given, table: Table, where: Where) -> Loaded:
    """All rows as events, or why not. Raises `BadDocument`."""
    columns = columns_of(part, table.headers)
    loaded = Loaded(columns, [], [], len(table.rows))
    reader = _Reader(pack, part, given, columns, where)
    seen: dict[str, int] = {}
    for row in table.rows:
        try:
            message = reader.message(row)
            if message.id in seen:
                reason = f"row {seen[message.id]} is of the same ({message.id})"
                raise Unmapped("repeated", reason, "$")
            seen[message.id] = row.number
            decoded = codec.decode(pack, given, message)
            if decoded.unmapped is not None:
                raise decoded.unmapped
            loaded.total += _amount(part, message)
            loaded.taken += 1
            loaded.events += decoded.events
        except Unmapped as bad:
            column = columns.get(bad.field.removeprefix("$."), bad.field)
            loaded.faults.append(Fault(row.number, column, bad.reason))
    return loaded


class _Reader(Struct):
    """Makes messages of rows."""

    pack: Pack
    part: FilePart
    given: Given
    columns: Mapping[str, str]
    where: Where

    def message(self, row: Row) -> Message:
        """The row as a message of the platform would be. Raises `Unmapped`."""
        for field, header in self.columns.items():
            if header in row.spoilt:
                reason = "its digits are lost: it went through a spreadsheet"
                raise Unmapped("value_unfit", reason, f"$.{field}")
        scope, said = self._scope(row)
        for field, line in self.part.set.items():
            said[field] = conversions.written(expressions.value_of(line, scope))
        row_id = expressions.value_of(self.part.id, scope)
        if row_id is MISSING:
            raise Unmapped("field_missing", "the row has no id", "$")
        scope.roots["id"] = row_id
        raw = conversions.as_json(said)
        return Message(str(row_id), self.part.type, scope, raw, self.where.now)

    def _scope(self, row: Row) -> tuple[Scope, dict[str, Any]]:
        named = set(self.columns.values())
        said: dict[str, Any] = {f: row.cells.get(h, "") for f, h in self.columns.items()}
        said |= {header: text for header, text in row.cells.items() if header not in named and text}
        pattern = self.pack.time.pattern
        as_of = self.where.as_of
        written = as_of.strftime(pattern) if "%" in pattern else as_of.isoformat()
        roots = {
            "message": said,
            "envelope": said,
            "setting": {**self.given.settings, "as_of": written},
            "shop": self.where.shop,
            "channel": self.given.channel,
        }
        return Scope(roots, self.pack.ways(dict(self.given.skus)), set()), said


def _amount(part: FilePart, message: Message) -> Decimal:
    if part.total is None:
        return Decimal(0)
    value = message.scope.roots["message"].get(part.total, "")
    try:
        return conversions.quantity(value) if value else Decimal(0)
    except Unfit as unfit:
        raise Unmapped("value_unfit", str(unfit), f"$.{part.total}") from None


def _spelling(header: str) -> str:
    """Headers are the same whatever their spaces, brackets with units, and width."""
    plain = unicodedata.normalize("NFKC", header).partition("(")[0]
    return "".join(plain.split()).strip("*:_").lower()
