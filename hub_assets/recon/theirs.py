"""A channel's own list: read from a file or by HTTP, as rows whose values keep every digit."""

import csv
import json
import urllib.request
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urljoin, urlsplit

from hub.errors import HubError
from hub_assets import web
from hub_assets.recon.comparing import Row, value_at

TIMEOUT_S = 30.0
PAGE_BYTES_MAX = 64 * 1024 * 1024
PAGES_MAX = 10_000
ROWS_MAX = 1_000_000
"""Of one list: each row of it is in memory."""
Format = Literal["csv", "jsonl", "json"]


class ListUnreadable(HubError):
    """The channel's list can't be read."""


class ListAway(ListUnreadable):
    """The channel does not give its list now; later it may."""


@dataclass(frozen=True)
class Paging:
    """Where a JSON answer has its rows and the address of the next page; paths with dots."""

    rows: str = ""
    next: str = ""


def from_file(path: Path, kind: Format) -> Iterator[Row]:
    """The rows of a file in UTF-8. Raises ListUnreadable."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as lines:
            yield from _bounded(parse(lines, kind), str(path))
    except (OSError, ValueError, csv.Error) as error:
        raise ListUnreadable(str(error), where=str(path)) from error


def from_url(url: str, kind: Format, headers: dict[str, str], paging: Paging) -> Iterator[Row]:
    """The rows of all pages. Raises ListUnreadable or ListAway,
    without the address, which may be a secret."""
    yield from _bounded(_pages(url, kind, headers, paging), urlsplit(url).hostname or "")


def parse(lines: Iterable[str], kind: Format, rows: str = "") -> Iterator[Row]:
    """The rows of a text. Numbers stay text: a float would lose digits of ids and amounts."""
    if kind == "csv":
        yield from csv.DictReader(lines)
    elif kind == "jsonl":
        for line in lines:
            if line.strip():
                yield _object(_json(line))
    else:
        found = _json("".join(lines))
        listed = value_at(found, rows) if rows else found
        if not isinstance(listed, list):
            raise ValueError(f"no list of rows at {rows or 'the top'!r}")
        yield from map(_object, listed)


def _pages(url: str, kind: Format, headers: dict[str, str], paging: Paging) -> Iterator[Row]:
    place = urlsplit(url)[:2]
    for _ in range(PAGES_MAX):
        request = urllib.request.Request(url, headers={"Accept": "application/json"} | headers)
        try:
            text = web.ask(request, TIMEOUT_S, PAGE_BYTES_MAX).decode("utf-8-sig")
            yield from parse(text.splitlines(keepends=True), kind, paging.rows)
            following = value_at(_json(text), paging.next) if paging.next else None
        except (ValueError, csv.Error) as error:
            raise ListUnreadable(str(error)) from error
        except (OSError, HTTPException) as error:
            reason = getattr(error, "code", "no answer")
            raise ListAway(f"{type(error).__name__}: {reason}") from error
        if not following:
            return
        url = urljoin(url, str(following))
        if urlsplit(url)[:2] != place:
            raise ListUnreadable("the next page is on another server: nothing is sent there")
    raise ListUnreadable(f"more than {PAGES_MAX} pages")


def _bounded(rows: Iterable[Row], where: str) -> Iterator[Row]:
    for count, row in enumerate(rows, start=1):
        if count > ROWS_MAX:
            raise ListUnreadable(f"more than {ROWS_MAX} rows", where=where)
        yield row


def _json(text: str) -> Any:
    return json.loads(text, parse_float=str, parse_int=str)


def _object(found: Any) -> Row:
    if not isinstance(found, dict):
        raise ValueError("a row is no object")
    return found
