"""An account of points against a model that moves single points minute by minute."""

import random
from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from hub.domain import earning
from hub.domain.ids import Key
from hub.domain.points import Account, Lot, Step
from hub.domain.settling import settle
from tests.event_maker import START, at
from tests.unit.domain.single_points import Earned, played

MINUTES = 40
GRACE = (earning.SCHEME.grace_until(at(0)) - START).total_seconds() // 60
PROFILE = b"p" * 16


def lot_of(earned: Earned) -> Lot:
    name = earned.name.to_bytes(16)
    ends = at(earned.ends) if earned.ends is not None else None
    times = (at(earned.earned), at(earned.opens), ends, None)
    return Lot(name, PROFILE, earned.points, earned.points, 0, 0, 0, *times, None, "rule")


LOTS = st.lists(
    st.tuples(st.integers(0, 4), st.integers(0, 20), st.integers(0, 8), st.integers(1, 20)),
    max_size=5,
)
USES = st.lists(
    st.tuples(st.integers(0, 25), st.integers(1, 6), st.integers(0, 12), st.integers(0, 6)),
    max_size=5,
)


@given(lots=LOTS, uses=USES, seed=st.integers(0, 99))
def test_an_account_is_what_its_single_points_are(
    lots: list[tuple[int, int, int, int]], uses: list[tuple[int, int, int, int]], seed: int
) -> None:
    earned = [
        Earned(i, points, at_, at_ + wait, at_ + wait + left if left % 3 else None)
        for i, (points, at_, wait, left) in enumerate(lots)
    ]
    steps = [(i, minute, -points) for i, (minute, points, _, _) in enumerate(uses)]
    steps += [
        (i, minute + later, min(back, points))
        for i, (minute, points, later, back) in enumerate(uses)
        if back and later
    ]
    model = played(earned, steps, MINUTES, lambda _: GRACE)
    account, settled = told(earned, steps, seed)
    assert account.debt_points == len(model.debts)
    for one in earned:
        lot = settled[one.name.to_bytes(16)]
        assert (lot.pending_points, lot.open_points, lot.expired_points) == model.count(one)
    issued = sum(one.points for one in earned)
    spent = -sum(points for _, _, points in steps)
    assert issued + account.debt_points == (
        account.pending_points + account.open_points + account.expired_points + spent
    )


def told(
    earned: list[Earned], steps: list[tuple[int, int, int]], seed: int
) -> tuple[Account, dict[Key, Lot]]:
    account = Account(PROFILE, settled_at=at(MINUTES))
    lots = {lot.lot_id: lot for lot in map(lot_of, earned)}
    mixed: Sequence[Step] = [Step(use.to_bytes(16), at(m), points) for use, m, points in steps]
    settle(account, lots, random.Random(seed).sample(mixed, len(mixed)))
    return account, lots
