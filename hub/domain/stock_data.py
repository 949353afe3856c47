"""What events of stock say, read from their payloads: quantities in thousandths. What a change or a
count does to a position is in `hub.domain.stock`."""

from datetime import datetime

from msgspec import Struct
from msgspec.structs import replace

from hub.domain import ids, money, payloads, slots
from hub.domain.envelope import BadEvent, Event, utc
from hub.domain.ids import derived
from hub.domain.stock import Change


class Delta(Struct, frozen=True):
    """A change of one item at one place, in thousandths."""

    sku: str
    place: str
    kind: str
    on_hand_milli: int = 0
    unavailable_milli: int = 0
    incoming_milli: int = 0
    batch: str | None = None
    best_before_at: datetime | None = None


class Transfer(Struct, frozen=True):
    """What a step of a transfer says: so much set out, arrived or was lost, and what it moves."""

    transfer_id: str
    sku: str
    to_place: str
    dispatched_milli: int
    arrived_milli: int
    lost_milli: int
    deltas: tuple[Delta, ...]


Deltas = tuple[Delta, ...]
Batched = payloads.stock.StockDelta | payloads.stock.StockQuantity | payloads.stock.StockTransfer


def changes(event: Event, deltas: Deltas) -> list[Change]:
    """The changes of stock that an event makes, one a place."""
    return [
        Change(
            d.sku,
            d.place,
            d.kind,
            d.on_hand_milli,
            0,
            event.occurred_at,
            event.key,
            derived("movement", event.key, ids.stock_id(d.sku, d.place)),
            unavailable_milli=d.unavailable_milli,
            incoming_milli=d.incoming_milli,
            batch=d.batch,
            best_before_at=d.best_before_at,
        )
        for d in deltas
    ]


def read_delta(payload: payloads.stock.StockDelta) -> Deltas:
    delta = Delta(payload.sku, payload.place, "adjusted", _milli(payload.delta, "delta"))
    return (_of_batch(payload, delta),)


def read_received(payload: payloads.stock.StockQuantity) -> Deltas:
    delta = Delta(payload.sku, payload.place, "received", _positive(payload.quantity))
    return (_of_batch(payload, delta),)


def read_damaged(payload: payloads.stock.StockQuantity) -> Deltas:
    delta = Delta(payload.sku, payload.place, "damaged", -_positive(payload.quantity))
    return (_of_batch(payload, delta),)


def read_blocked(payload: payloads.stock.StockQuantity) -> Deltas:
    return (Delta(payload.sku, payload.place, "blocked", 0, _positive(payload.quantity)),)


def read_unblocked(payload: payloads.stock.StockQuantity) -> Deltas:
    return (Delta(payload.sku, payload.place, "unblocked", 0, -_positive(payload.quantity)),)


def read_inspected(payload: payloads.stock.StockInspection) -> Deltas:
    good = _positive(payload.quantity)
    gone = _positive(payload.written_off, "written_off")
    return (Delta(payload.sku, payload.place, "inspected", -gone, -good - gone),)


def read_transferred(payload: payloads.stock.StockTransfer) -> Deltas:
    _refuse_same_place(payload)
    quantity = _positive(payload.quantity)
    return (
        _of_batch(payload, Delta(payload.sku, payload.from_place, "transferred", -quantity)),
        _of_batch(payload, Delta(payload.sku, payload.to_place, "transferred", quantity)),
    )


def _of_batch(payload: Batched, delta: Delta) -> Delta:
    """The same of the batch that is named, if there is one."""
    best_before = payload.best_before
    if payload.batch is None:
        if best_before is not None:
            reason = "a best-before is of a batch: name it"
            raise BadEvent("batch_missing", reason, "$.data.batch")
        return delta
    at = utc(best_before, "$.data.best_before") if best_before is not None else None
    return replace(delta, batch=payload.batch, best_before_at=at)


def read_dispatched(payload: payloads.stock.TransferDispatch) -> Transfer:
    _refuse_same_place(payload)
    quantity = _positive(payload.quantity)
    deltas = (
        Delta(payload.sku, payload.from_place, "dispatched", -quantity),
        Delta(payload.sku, payload.to_place, "dispatched", incoming_milli=quantity),
    )
    return Transfer(payload.transfer_id, payload.sku, payload.to_place, quantity, 0, 0, deltas)


def read_arrived(payload: payloads.stock.TransferEnd) -> Transfer:
    quantity = _positive(payload.quantity)
    delta = Delta(payload.sku, payload.to_place, "arrived", quantity, incoming_milli=-quantity)
    return Transfer(payload.transfer_id, payload.sku, payload.to_place, 0, quantity, 0, (delta,))


def read_lost(payload: payloads.stock.TransferEnd) -> Transfer:
    quantity = _positive(payload.quantity)
    delta = Delta(payload.sku, payload.to_place, "lost", incoming_milli=-quantity)
    return Transfer(payload.transfer_id, payload.sku, payload.to_place, 0, 0, quantity, (delta,))


def read_count(payload: payloads.stock.StockCount) -> tuple[str, str, int, datetime]:
    """(sku, place, thousandths, measured at)"""
    quantity = _positive(payload.quantity)
    measured_at = utc(payload.measured_at, "$.data.measured_at")
    return (payload.sku, payload.place, quantity, measured_at)


def read_capacity(payload: payloads.stock.Capacity) -> tuple[str, str, int, datetime]:
    """A slot's capacity is a count of the item that stands for it."""
    quantity = _positive(payload.quantity)
    sku = slots.sku_of(utc(payload.slot_from, "$.data.slot_from"))
    return sku, payload.place, quantity, utc(payload.measured_at, "$.data.measured_at")


def _refuse_same_place(
    payload: payloads.stock.StockTransfer | payloads.stock.TransferDispatch,
) -> None:
    if payload.from_place == payload.to_place:
        raise BadEvent("same_place", "a transfer needs two different places", "$.data.to_place")


def _positive(value: str, field: str = "quantity") -> int:
    quantity = _milli(value, field)
    if quantity < 0:
        raise BadEvent("negative_quantity", f"'{value}' is below 0", f"$.data.{field}")
    return quantity


def _milli(value: str, field: str) -> int:
    try:
        return money.milli(value)
    except money.BadNumber as bad:
        raise BadEvent("bad_quantity", str(bad), f"$.data.{field}") from None
