"""Gifts for levels that were reached: which are to be issued, which to be taken back. Pure.

Which levels bring one, and when a refund takes the ground from them: `hub.domain.tiers`.
"""

from collections.abc import Sequence
from datetime import datetime

from msgspec import Struct

from hub.domain.tier_standing import Award, Standing


class Issued(Struct, frozen=True):
    """A gift that was issued for a level and its period, by the coupon's code."""

    level: str
    reached_at: datetime
    until: datetime | None
    code: str
    is_recalled: bool


class Due(Struct):
    """What is to be done about gifts."""

    awards: list[Award]
    recalls: list[Issued]

    def __bool__(self) -> bool:
        return bool(self.awards or self.recalls)


def due(standing: Standing, issued: Sequence[Issued], at: datetime) -> Due:
    """The awards without a gift, and the gifts without an award, at a time.

    One gift a level and period: what came earlier than was known, or a merge, moves the beginning
    of a period, and brings no second gift.
    """
    awards = [
        award
        for award in standing.awards
        if award.recalled_at is None
        and (award.until is None or at < award.until)
        and not any(_is_for(gift, award) for gift in issued)
    ]
    recalls = [
        gift
        for gift in issued
        if not gift.is_recalled
        and not any(_is_for(gift, one) and one.recalled_at is None for one in standing.awards)
    ]
    return Due(awards, recalls)


def _is_for(gift: Issued, award: Award) -> bool:
    """Whether the periods of the two overlap."""
    return (
        gift.level == award.level
        and (award.until is None or gift.reached_at < award.until)
        and (gift.until is None or award.since < gift.until)
    )
