-- Stock positions and movements.

-- A position that does not exist yet can't be locked: two writes that both start it would each
-- begin at nothing, and the second would overwrite the first. So it is made, in the same order,
-- and then locked.
-- name: ensure
insert into stock_positions (sku, place, on_hand_milli, committed_milli, version)
select
    k.sku,
    k.place,
    0,
    0,
    0
from unnest($1::text[], $2::text[]) as k (sku, place)
where
    not exists (
        select from stock_positions as p
        where p.sku = k.sku and p.place = k.place
    )
order by k.sku, k.place
on conflict (sku, place) do nothing;

-- Lock positions in the order of item and place, so that two writes cannot wait for each other.
-- name: lock
select
    p.sku,
    p.place,
    p.on_hand_milli,
    p.committed_milli,
    p.reserved_milli,
    p.unavailable_milli,
    p.incoming_milli,
    p.counted_at,
    p.counted_by,
    p.allotted_milli,
    p.counted_sequence,
    p.has_batches,
    p.version
from stock_positions as p
inner join unnest($1::text[], $2::text[]) as k (sku, place)
    on
        p.sku = k.sku
        and p.place = k.place
order by p.sku, p.place
for update of p;

-- What changed on hand after a count was measured, without what follows from counts.
-- name: changed_since
select coalesce(sum(on_hand_milli), 0)::bigint
from stock_movements
where
    sku = $1
    and place = $2
    and occurred_at > $3
    and kind <> all($4::text[]);

-- Positions as they are now; they are locked.
-- name: move
update stock_positions as p
set
    on_hand_milli = n.on_hand_milli,
    committed_milli = n.committed_milli,
    reserved_milli = n.reserved_milli,
    version = n.version,
    changed_xid = pg_current_xact_id()
from
    unnest($1::text[], $2::text[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[])
        as n (sku, place, on_hand_milli, committed_milli, reserved_milli, version)
where
    p.sku = n.sku
    and p.place = n.place;

-- name: set_aside
update stock_positions as p
set
    unavailable_milli = n.unavailable_milli,
    incoming_milli = n.incoming_milli
from
    unnest($1::text[], $2::text[], $3::bigint[], $4::bigint[])
        as n (sku, place, unavailable_milli, incoming_milli)
where
    p.sku = n.sku
    and p.place = n.place;

-- What orders claim of positions: promised or held, and not given out.
-- name: claims
with claims as (
    select
        m.sku,
        m.place,
        m.order_id,
        sum(m.committed_milli + m.reserved_milli)::bigint as quantity_milli,
        min(m.occurred_at) as claimed_at
    from stock_movements as m
    inner join unnest($1::text[], $2::text[]) as k (sku, place)
        on
            m.sku = k.sku
            and m.place = k.place
    where m.order_id is not null
    group by m.sku, m.place, m.order_id
    having sum(m.committed_milli + m.reserved_milli) > 0
)

select
    c.sku,
    c.place,
    c.order_id,
    coalesce(o.channel, r.channel) as channel,
    coalesce(o.shop, r.shop) as shop,
    coalesce(o.order_number, r.order_number) as order_number,
    c.quantity_milli,
    coalesce(o.placed_at, c.claimed_at) as placed_at,
    coalesce(r.status in ('held', 'committed', 'confirmed'), false) as is_promised
from claims as c
left join orders as o on c.order_id = o.order_id
left join reservations as r on c.order_id = r.order_id;

-- name: sum_transfers
insert into stock_transfers (
    transfer_key, transfer_id, sku, to_place, dispatched_milli, arrived_milli, lost_milli
)
select *
from
    unnest(
        $1::uuid[], $2::text[], $3::text[], $4::text[], $5::bigint[], $6::bigint[], $7::bigint[]
    )
on conflict (transfer_key) do update
    set
        dispatched_milli = stock_transfers.dispatched_milli + excluded.dispatched_milli,
        arrived_milli = stock_transfers.arrived_milli + excluded.arrived_milli,
        lost_milli = stock_transfers.lost_milli + excluded.lost_milli,
        changed_xid = pg_current_xact_id()
returning
    transfer_key,
    transfer_id,
    sku,
    to_place,
    dispatched_milli,
    arrived_milli,
    lost_milli;

-- name: note_counts
update stock_positions as p
set
    counted_at = n.counted_at,
    counted_by = n.counted_by,
    counted_sequence = n.counted_sequence
from
    unnest($1::text[], $2::text[], $3::timestamptz[], $4::uuid[], $5::bigint[])
        as n (sku, place, counted_at, counted_by, counted_sequence)
where
    p.sku = n.sku
    and p.place = n.place;
