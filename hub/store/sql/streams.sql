-- Stock for those who follow it: positions as they are, without what is past its best-before.

-- What transactions after $1 up to $2 have changed of what is told.
-- name: changed_between
with changed as (
    select
        sku,
        place
    from stock_movements
    where changed_xid > $1::xid8 and changed_xid <= $2::xid8
    group by sku, place, changed_xid
    having
        sum(on_hand_milli) <> 0
        or sum(committed_milli + reserved_milli + unavailable_milli) <> 0
)

select
    p.sku,
    p.place,
    p.on_hand_milli,
    p.committed_milli + p.reserved_milli + p.unavailable_milli
    + case
        when p.has_batches
            then (
                select coalesce(sum(b.left_milli), 0)
                from stock_batches as b
                where b.sku = p.sku and b.place = p.place and b.best_before_at <= now()
            )
        else 0
    end as taken_milli,
    p.version
from (select distinct
    c.sku,
    c.place
from changed as c) as c
inner join stock_positions as p on c.sku = p.sku and c.place = p.place
order by p.sku, p.place;

-- What was changed by transaction $1 or later, after ($2, $3), $6 of it: of the items $4 and places
-- $5, null for all. With $1 null all there is.
-- name: changed_since
select
    p.sku,
    p.place,
    p.on_hand_milli,
    p.committed_milli + p.reserved_milli + p.unavailable_milli
    + case
        when p.has_batches
            then (
                select coalesce(sum(b.left_milli), 0)
                from stock_batches as b
                where b.sku = p.sku and b.place = p.place and b.best_before_at <= now()
            )
        else 0
    end as taken_milli,
    p.version
from stock_positions as p
where
    ($1::xid8 is null or p.changed_xid >= $1)
    and (p.sku, p.place) > ($2::text, $3::text)
    and ($4::text[] is null or p.sku = any($4))
    and ($5::text[] is null or p.place = any($5))
order by p.sku, p.place
limit $6;
