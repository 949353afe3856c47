-- Sync rules: their versions with the place of each among the facts, and facts to try them on.

-- A version counts for the facts that come after its own in the outbox.
-- name: versions
select
    c.name,
    c.document,
    c.reason,
    c.published_at,
    o.xid::text::bigint as xid,
    o.outbox_id,
    row_number() over (partition by c.name order by o.xid, o.outbox_id) as version
from configs as c
inner join outbox as o
    on
        c.event_key = o.event_key
        and o.type = 'config.published'
where
    c.kind = 'rule'
    and ($1::text is null or c.name = $1)
order by c.name, version;

-- name: facts
select
    o.event_key,
    o.xid::text::bigint as xid,
    o.outbox_id,
    e.headers,
    e.body,
    e.sealed_by
from log.events as e
inner join outbox as o on e.event_key = o.event_key
where
    e.received_at >= $1
    and e.received_at < $2
    and o.received_at >= $1
    and o.type = any($3::text[])
    and ($4::text is null or e.event_id = $4)
order by o.xid, o.outbox_id
limit $5;

-- name: newest_facts
select
    o.event_key,
    e.received_at,
    e.headers,
    e.body,
    e.sealed_by
from log.events as e
inner join outbox as o on e.event_key = o.event_key
where
    e.received_at >= $1
    and e.received_at < $2
    and o.received_at >= $1
    and o.type = any($3::text[])
order by o.received_at desc, o.outbox_id desc
limit $4;

-- name: positions
select
    p.sku,
    p.place,
    now() as now,
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
order by p.sku, p.place
limit $1;
