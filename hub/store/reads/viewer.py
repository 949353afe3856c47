"""Who looks: what a reader may see of the objects of other channels. Not here: keys and scopes."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Viewer:
    """A reader bound to `channel` (None: all of them).

    `sees_members_whole`: of a member with a profile in `channel`, the objects of the other
    channels too.
    """

    channel: str | None
    sees_members_whole: bool = False

    @property
    def arguments(self) -> tuple[str | None, bool]:
        """The two parameters that every query of this package starts with ($1 and $2)."""
        return self.channel, self.sees_members_whole


@dataclass(frozen=True, slots=True)
class Page:
    """The rows after `after` (the keyset of the last row seen, None at the start)."""

    limit: int
    after: tuple[object, ...] | None = None

    def keyset(self, size: int) -> tuple[object, ...]:
        """`after` as `size` parameters: nulls at the start."""
        return self.after if self.after is not None else (None,) * size
