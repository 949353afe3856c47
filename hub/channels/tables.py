"""Tables as back offices export them: XLSX, and CSV in UTF-8 (with BOM or not) or GB18030.

Every cell is text: an id keeps its zeros. What spreadsheets and bills put around a value (a
leading backtick, tabs, `="…"`) goes; a number whose digits a spreadsheet lost is marked, and its
row refused by who needs it. What the columns mean is in `hub.channels.files`.
"""

import csv
import io
import warnings
import zipfile
from collections.abc import Iterator
from datetime import date, datetime
from typing import Any

from msgspec import Struct
from openpyxl import load_workbook
from openpyxl.utils.exceptions import InvalidFileException

from hub.channels import conversions
from hub.channels.conversions import Unfit
from hub.errors import HubError

BYTES_MAX = 32 * 1024 * 1024
UNPACKED_BYTES_MAX = 512 * 1024 * 1024
ROWS_MAX = 200_000
COLUMNS_MAX = 200
CELL_MAX = 4_096
SPREADSHEET_DIGITS = 15
"""A spreadsheet keeps so many digits of a number."""
DELIMITERS = ",\t;|"


class TableUnreadable(HubError):
    """The file is no table that can be read."""


class Row(Struct):
    """A row: its number as a spreadsheet shows it, its cells by header, those that lost digits."""

    number: int
    cells: dict[str, str]
    spoilt: frozenset[str]


class Table(Struct):
    """The headers and rows of a file."""

    headers: list[str]
    rows: list[Row]


def read(data: bytes) -> Table:
    """The first table in a file. Raises `TableUnreadable`."""
    if len(data) > BYTES_MAX:
        raise TableUnreadable(f"a file has at most {BYTES_MAX} bytes")
    lines = _sheet(data) if data[:4] == b"PK\x03\x04" else _text_lines(data)
    headers: list[str] = []
    rows: list[Row] = []
    for number, cells in enumerate(lines, 1):
        texts = [_cell(cell) for cell in cells]
        if not headers:
            # Titles above a table fill one cell; headers fill several.
            filled = [text for text, _ in texts if text]
            headers = [text for text, _ in texts] if len(filled) > 1 else []
            _refuse_headers(headers)
        elif any(text for text, _ in texts):
            rows.append(_row(number, headers, texts))
            if len(rows) > ROWS_MAX:
                raise TableUnreadable(f"a file has at most {ROWS_MAX} rows")
    if not headers:
        raise TableUnreadable("there is no row of headers")
    return Table(headers, rows)


def _refuse_headers(headers: list[str]) -> None:
    if len(headers) > COLUMNS_MAX:
        raise TableUnreadable(f"a table has at most {COLUMNS_MAX} columns")
    named = [header for header in headers if header]
    twice = next((header for header in named if named.count(header) > 1), None)
    if twice is not None:
        raise TableUnreadable(f"the header '{twice[:80]}' stands twice")


def _row(number: int, headers: list[str], texts: list[tuple[str, bool]]) -> Row:
    named = [(h, text, bad) for h, (text, bad) in zip(headers, texts, strict=False) if h]
    cells = {header: text for header, text, _ in named}
    return Row(number, cells, frozenset(header for header, _, bad in named if bad))


def _cell(value: Any) -> tuple[str, bool]:
    """The cell's text, and whether its digits are lost."""
    if value is None:
        return "", False
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d %H:%M:%S"), False
    if isinstance(value, date):
        return value.isoformat(), False
    if isinstance(value, bool):
        return str(value).lower(), False
    if isinstance(value, int | float):
        is_whole = float(value).is_integer()
        text = str(int(value)) if is_whole else repr(value)
        return text, len(text.lstrip("-")) > SPREADSHEET_DIGITS and is_whole
    try:
        return conversions.bare(str(value)[:CELL_MAX]).strip(), False
    except Unfit:
        return str(value).strip(), True


def _text_lines(data: bytes) -> Iterator[list[str]]:
    text = _decoded(data)
    if "\0" in text:
        raise TableUnreadable("the file is neither XLSX nor text")
    try:
        dialect: Any = csv.Sniffer().sniff(text[:8_192], DELIMITERS)
    except csv.Error:
        dialect = csv.excel
    try:
        yield from csv.reader(io.StringIO(text, newline=""), dialect)
    except csv.Error as error:
        raise TableUnreadable(f"the text is no CSV: {error}") from None


def _decoded(data: bytes) -> str:
    """UTF-8 if it is that, else GB18030, which Chinese back offices write."""
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise TableUnreadable("the text is neither UTF-8 nor GB18030")


def _sheet(data: bytes) -> Iterator[tuple[Any, ...]]:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as parts:
            if sum(part.file_size for part in parts.infolist()) > UNPACKED_BYTES_MAX:
                raise TableUnreadable("the file is too large when it is unpacked")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of styles that nobody reads here
            book = load_workbook(io.BytesIO(data), read_only=True, data_only=True)
            sheet = book.worksheets[0]
            sheet.reset_dimensions()  # exporters write wrong ones
            yield from sheet.iter_rows(values_only=True)
            book.close()
    except (zipfile.BadZipFile, InvalidFileException, KeyError, ValueError, IndexError) as error:
        raise TableUnreadable(f"the file is no XLSX: {type(error).__name__}") from None
