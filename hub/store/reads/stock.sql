-- name: positions
-- Where item $1 lies: a row a place, in the order of their names.
select
    s.place,
    p.name as place_name,
    p.kind as place_kind,
    s.on_hand_milli,
    s.committed_milli,
    s.reserved_milli,
    s.unavailable_milli,
    s.incoming_milli,
    s.allotted_milli,
    (
        select
            jsonb_agg(
                jsonb_build_object(
                    'channel', a.channel,
                    'session', nullif(a.session, ''),
                    'target_milli', a.target_milli,
                    'buffer_milli', a.buffer_milli,
                    'confirmed_milli', a.confirmed_milli,
                    'held_milli', a.held_milli,
                    'is_stale', a.is_stale
                )
                order by a.channel, a.session
            )
        from hub.allotments as a
        where
            a.sku = s.sku
            and a.place = s.place
            and ($4::text is null or a.channel = $4)
    ) as allotments,
    (
        select
            jsonb_agg(
                jsonb_build_object(
                    'batch', b.batch,
                    'best_before', b.best_before_at,
                    'left_milli', b.left_milli,
                    'is_expired', coalesce(b.best_before_at <= now(), false)
                )
                order by b.best_before_at nulls last, b.batch
            )
        from hub.stock_batches as b
        where
            s.has_batches
            and b.sku = s.sku
            and b.place = s.place
            and b.left_milli > 0
    ) as batches,
    s.counted_at,
    s.version
from hub.stock_positions as s
left join hub.places as p on s.place = p.place
where s.sku = $1 and ($2::text is null or s.place > $2)
order by s.place
limit $3;

-- name: item
-- Item $1 itself, if the catalog or any stock position knows it.
select
    i.name,
    i.unit,
    known.sku
from (select $1::text as sku) as known
left join hub.items as i on known.sku = i.sku
where
    i.sku is not null
    or exists (select 1 from hub.stock_positions as s where s.sku = $1);

-- name: board
-- Positions of all items whose SKU or name has the text $1, at place $2, with nothing to sell left
-- if $3, each where given; after the keyset ($4, $5). With the receivers who are still to be told.
select
    s.sku,
    i.name,
    s.place,
    p.name as place_name,
    s.on_hand_milli,
    s.committed_milli,
    s.reserved_milli,
    s.unavailable_milli,
    s.incoming_milli,
    s.allotted_milli,
    s.counted_at,
    s.version,
    (
        select coalesce(array_agg(d.subscription_id), array[]::uuid [])
        from hub.deliveries as d
        where d.state = 'waiting' and d.sku = s.sku and d.place = s.place
    ) as awaited_by
from hub.stock_positions as s
left join hub.items as i on s.sku = i.sku
left join hub.places as p on s.place = p.place
where
    ($1::text is null or s.sku ilike '%' || $1 || '%' or i.name ilike '%' || $1 || '%')
    and ($2::text is null or s.place = $2)
    and (
        not $3::boolean
        or s.on_hand_milli - s.committed_milli - s.reserved_milli - s.unavailable_milli <= 0
    )
    and ($4::text is null or (s.sku, s.place) > ($4, $5::text))
order by s.sku, s.place
limit $6;

-- name: open_cases
-- Those of the cases $1 that are open.
select c.case_id
from hub.cases as c
where c.case_id = any($1::uuid []) and c.state = 'open';

-- name: told
-- How far each of the receivers $1 is with stock: what waits, and when one was told last.
select
    s.subscription_id,
    (
        select count(*)
        from hub.deliveries as d
        where
            d.subscription_id = s.subscription_id
            and d.state = 'waiting'
            and d.sku is not null
    ) as waiting,
    (
        select d.ended_at
        from hub.deliveries as d
        where
            d.subscription_id = s.subscription_id
            and d.state = 'delivered'
            and d.sku is not null
        order by d.seq desc
        limit 1
    ) as told_at
from unnest($1::uuid []) as s (subscription_id);
