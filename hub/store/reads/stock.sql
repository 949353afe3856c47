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
