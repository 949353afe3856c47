"""Orders and their reservations: one entity, named by channel, shop and order number."""

from collections.abc import Callable
from typing import Any

from hub.domain import ids, order_data, order_money_data, reservations
from hub.domain.readers.base import Read, Reader, nothing


def _order(read: Callable[[Any], Any]) -> Reader:
    def reader(channel: str, shop: str, payload: Any) -> Read:
        number = payload.order_number
        return "order", number, ids.order_id(channel, shop, number), read(payload)

    return reader


def _aftersale_id(payload: Any) -> str:
    return payload.aftersale_id


READERS: dict[str, Reader] = {
    "order.placed": _order(order_data.read_content),
    "order.amended": _order(order_data.read_content),
    "order.paid": _order(order_data.read_payment),
    "order.ready_for_pickup": _order(nothing),
    "order.picked_up": _order(order_data.read_fulfilment),
    "order.pickup_changed": _order(order_data.read_pickup_change),
    "order.no_show": _order(nothing),
    "order.shipped": _order(order_data.read_fulfilment),
    "order.delivered": _order(nothing),
    "order.completed": _order(nothing),
    "order.cancelled": _order(order_data.read_cancellation),
    "return.received": _order(order_data.read_return),
    "payment.captured": _order(order_data.read_payment),
    "payment.settled": _order(order_money_data.read_settlement),
    "aftersale.requested": _order(order_money_data.read_aftersale),
    "aftersale.approved": _order(_aftersale_id),
    "aftersale.rejected": _order(_aftersale_id),
    "aftersale.closed": _order(_aftersale_id),
    "aftersale.exchanged": _order(_aftersale_id),
    "refund.processing": _order(order_money_data.read_refund),
    "refund.succeeded": _order(order_money_data.read_refund),
    "refund.failed": _order(lambda payload: payload.refund_id),
    "reservation.created": _order(reservations.read),
    "reservation.committed": _order(nothing),
    "reservation.released": _order(nothing),
    "reservation.expired": _order(nothing),
}
DECIDED = frozenset(name for name in READERS if name.startswith("reservation."))
NAMED_BY = dict.fromkeys(READERS, "order_number")
