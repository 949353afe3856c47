"""What an order changes in the points of its buyers: the difference between two of its folds.

Nothing here talks to Postgres; accounts are settled in `hub.store.points`.
"""

from msgspec.structs import replace

from hub.domain import ids, orders
from hub.domain.envelope import Event
from hub.domain.ids import Key, derived
from hub.domain.order_state import OrderState
from hub.domain.orders import Folded
from hub.domain.points import Entry
from hub.store.order_folds import Touched
from hub.store.records import Granted, Work


def note(work: Work, event: Event, order: Touched, before: Folded, after: Folded) -> None:
    """Note the entries that the event causes, and the terms of the lots it touches."""
    was, now = before.state, after.state
    is_same = _terms_by(was) == _terms_by(now)
    if is_same and before.points == after.points:
        return
    terms = orders.points_terms(now)
    assert terms is not None
    causes = after.points.keys() | before.points.keys()
    for account in {account for _, account in causes}:
        profile = ids.profile_id(order.channel, account)
        # A former buyer's lot is left with nothing, and grants nothing.
        held = terms if account == now.account else replace(terms, granted_points=0)
        work.lot_terms[lot_id(order.key, profile)] = Granted(profile, held, event.key)
    for cause, account in causes:
        then, known = before.points.get((cause, account)), after.points.get((cause, account))
        profile = ids.profile_id(order.channel, account)
        lot = lot_id(order.key, profile)
        if then is not None:
            work.known_lots.add(lot)
        points = (known[0] if known else 0) - (then[0] if then else 0)
        told = known or then
        if points and told is not None:
            work.points.append(
                Entry(
                    derived("points", event.key, cause, profile),
                    profile,
                    "earned" if points > 0 else "reversed",
                    points,
                    lot,
                    order.key,
                    told[1],
                    cause,
                    terms.rule_version,
                )
            )


def _terms_by(state: OrderState) -> tuple[object, ...]:
    """What the terms of a lot depend on, beside the points themselves."""
    return state.fulfilled_at, orders.earned_at(state), state.content, state.rules


def lot_id(order_id: Key, profile: Key) -> Key:
    """Each buyer the order had holds a lot of their own."""
    return derived("lot", order_id, profile)
