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
    p.counted_at,
    p.counted_by,
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

-- name: note_counts
update stock_positions as p
set
    counted_at = n.counted_at,
    counted_by = n.counted_by
from
    unnest($1::text[], $2::text[], $3::timestamptz[], $4::uuid[])
        as n (sku, place, counted_at, counted_by)
where
    p.sku = n.sku
    and p.place = n.place;
