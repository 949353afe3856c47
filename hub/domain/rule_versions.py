"""What a published version of a sync rule says: the rule, whether it runs, and who published it.

Only its shape is read here; what is right about a rule is checked in `hub.rules` before it is
published.
"""

from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from hub.domain.documents import Document, convert

KIND = "rule"
Status = Literal["published", "paused", "archived"]


class RuleVersion(Struct, frozen=True, forbid_unknown_fields=True):
    """One version. by: who published, paused or archived it."""

    status: Status
    by: Annotated[str, Meta(min_length=1, max_length=128)]
    rule: dict[str, Any]


def read(document: Document) -> RuleVersion:
    """The version in a document. BadDocument names the field that does not fit."""
    return convert(document, RuleVersion)
