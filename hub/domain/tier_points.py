"""What members of a level earn on top of the rule: points by the factor of their level. Pure."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from msgspec import Struct

from hub.domain.documents import Version, in_force
from hub.domain.earning import ONCE_MILLI
from hub.domain.tier_schemes import Scheme
from hub.domain.tier_standing import Standing

Schemes = Mapping[str, Sequence[Version[Scheme]]]


class Factor(Struct, frozen=True):
    """What a level multiplies points by, in thousandths, and which version of which scheme says
    so."""

    milli: int
    rule_version: str

    def bonus(self, points: int) -> int:
        """What comes on top of points that the rule grants, rounded down."""
        return points * (self.milli - ONCE_MILLI) // ONCE_MILLI


def multiplies(schemes: Schemes) -> bool:
    """Whether any version of any scheme multiplies points."""
    return any(
        level.points_factor_milli > ONCE_MILLI
        for versions in schemes.values()
        for version in versions
        for level in version.document.levels
    )


def factor_at(schemes: Schemes, standings: Mapping[str, Standing], at: datetime) -> Factor | None:
    """The highest factor of the levels that a member had when something was earned; None for none.

    The level before counts: what an order itself raises, the next one earns by.
    """
    best: Factor | None = None
    for name, standing in sorted(standings.items()):
        version = in_force(schemes[name], at)
        level = next((one.level for one in reversed(standing.changes) if one.at < at), None)
        if version is None or level is None:
            continue
        rank = version.document.rank(level)
        milli = version.document.levels[rank].points_factor_milli if rank >= 0 else ONCE_MILLI
        if milli > (best.milli if best is not None else ONCE_MILLI):
            best = Factor(milli, f"tier/{name}/{version.number}")
    return best
