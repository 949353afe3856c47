"""Pages of reads: limits, signed cursors, and answers that a client may keep (ETag, 304)."""

import hashlib
from collections.abc import Sequence
from typing import Annotated, Any, Generic, TypeVar

from fastapi import Query, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from hub.store.reads.viewer import Page
from hub_api.limits import CURSOR_LENGTH_MAX, PAGE_ROWS_DEFAULT, PAGE_ROWS_MAX
from hub_api.problems import Fault, Problem
from hub_api.signing import Signer

ETAG_LENGTH = 32
_Item = TypeVar("_Item")


class PageQuery(BaseModel):
    """Which page of a list is asked for."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    limit: Annotated[int, Field(ge=1, le=PAGE_ROWS_MAX)] = PAGE_ROWS_DEFAULT
    cursor: Annotated[
        str | None,
        Field(max_length=CURSOR_LENGTH_MAX, description="`next_cursor` of the page before"),
    ] = None


PageAsked = Annotated[PageQuery, Query()]


class PageOf(BaseModel, Generic[_Item]):
    """One page; `next_cursor` is null on the last, else the `cursor` of the next."""

    items: list[_Item]
    next_cursor: str | None


class Pager:
    """Makes and reads the cursors of one listing, for one reader.

    `keyset`: the type of the tuple that the listing is sorted by.
    """

    def __init__(self, signer: Signer, listing: str, keyset: Any) -> None:
        self._signer = signer
        self._purpose = f"cursor {listing}"
        self._keyset = keyset

    def page(self, wanted: PageQuery) -> Page:
        """The page to read: one row more than asked, to know whether there is a next."""
        if wanted.cursor is None:
            return Page(wanted.limit + 1)
        after = self._signer.open(self._purpose, wanted.cursor, self._keyset)
        if after is None:
            reason = "it was not given out for this list, or was changed"
            raise Problem("bad-cursor", [Fault("cursor", reason)])
        return Page(wanted.limit + 1, after)

    def cut(
        self, rows: Sequence[dict[str, Any]], page: Page, names: Sequence[str]
    ) -> tuple[Sequence[dict[str, Any]], str | None]:
        """The rows asked for, and the cursor after the last of them; `names` are the keyset's."""
        if len(rows) < page.limit:
            return rows, None
        shown = rows[: page.limit - 1]
        return shown, self._signer.seal(self._purpose, [shown[-1][name] for name in names])


def respond(
    request: Request,
    model: BaseModel,
    headers: dict[str, str] | None = None,
    *,
    is_personal: bool = False,
) -> Response:
    """The model as JSON, or 304 if the client has it already. What is personal is for once, and
    nobody between shall keep it."""
    body = model.model_dump_json().encode()
    if is_personal:
        kept = {"Cache-Control": "no-store", **(headers or {})}
        return Response(body, 200, kept, "application/json")
    etag = f'"{hashlib.sha256(body).hexdigest()[:ETAG_LENGTH]}"'
    kept = {
        "ETag": etag,
        "Cache-Control": "private, no-cache",
        "Vary": "Authorization",
        **(headers or {}),
    }
    if _has_it(request.headers.get("if-none-match", ""), etag):
        return Response(None, 304, kept)
    return Response(body, 200, kept, "application/json")


def _has_it(if_none_match: str, etag: str) -> bool:
    tags = (tag.strip().removeprefix("W/") for tag in if_none_match.split(","))
    return any(tag in (etag, "*") for tag in tags)
