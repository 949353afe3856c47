-- Stock positions and movements.

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
