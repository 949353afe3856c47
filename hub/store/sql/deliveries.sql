-- Deliveries: what subscribers are to be told, and how that went.

-- name: add
insert into deliveries (
    delivery_id, subscription_id, type, event_key, xid, outbox_id, order_key, is_replay
)
select * from
    unnest(
        $1::uuid[], $2::uuid[], $3::text[], $4::uuid[], $5::xid8[], $6::bigint[], $7::text[],
        $8::boolean[]
    )
on conflict (delivery_id) do nothing;

-- What rules have to deliver: by the rule's own map.
-- name: add_by_rules
insert into deliveries (
    delivery_id, subscription_id, type, event_key, xid, outbox_id, order_key, rule, rule_version,
    action
)
select * from
    unnest(
        $1::uuid[], $2::uuid[], $3::text[], $4::uuid[], $5::xid8[], $6::bigint[], $7::text[],
        $8::text[], $9::int[], $10::text[]
    )
on conflict (delivery_id) do nothing;

-- The same of stock positions: one waits for each, and what changes meanwhile is told with it.
-- name: add_stock_by_rules
insert into deliveries (
    delivery_id, subscription_id, type, event_key, xid, outbox_id, order_key, rule, rule_version,
    action, sku, place
)
select * from
    unnest(
        $1::uuid[], $2::uuid[], $3::text[], $4::uuid[], $5::xid8[], $6::bigint[], $7::text[],
        $8::text[], $9::int[], $10::text[], $11::text[], $12::text[]
    )
on conflict (subscription_id, order_key) where state = 'waiting' and sku is not null
do update set
    generation = deliveries.generation + 1,
    rule_version = excluded.rule_version,
    xid = excluded.xid,
    outbox_id = excluded.outbox_id,
    event_key = excluded.event_key,
    changed_xid = pg_current_xact_id();

-- name: of_rule
-- What a version of a rule delivers about an event, with how it went.
select
    d.delivery_id,
    d.action,
    d.state,
    d.attempts,
    d.last_status,
    d.last_error,
    d.next_at,
    d.ended_at,
    s.channel,
    s.label
from deliveries as d
left join access.subscriptions as s on d.subscription_id = s.subscription_id
where d.event_key = $1 and d.rule = $2 and d.rule_version = $3
order by d.seq;

-- name: spread
-- Move the reader's place from ($2, $3) to ($4, $5) and note what follows, in one statement: if
-- another process moved it meanwhile, nothing happens. $6 to $12 are of facts, $13 to $20 of stock
-- positions, of which one waits for each: what changes meanwhile is told with it, or after it.
with moved as (
    update outbox_readers set
        xid = $4::xid8,
        outbox_id = $5::bigint,
        updated_at = now(),
        changed_xid = pg_current_xact_id()
    where
        reader = $1
        and xid = $2::xid8
        and outbox_id = $3::bigint
    returning reader
),

facts as (
    insert into deliveries (
        delivery_id, subscription_id, type, event_key, xid, outbox_id, order_key, state, ended_at
    )
    select
        n.delivery_id,
        n.subscription_id,
        n.type,
        n.event_key,
        n.xid,
        n.outbox_id,
        n.order_key,
        case when n.is_shadow then 'shadow' else 'waiting' end,
        case when n.is_shadow then now() end
    from moved
    cross join
        unnest(
            $6::uuid[], $7::uuid[], $8::text[], $9::uuid[], $10::xid8[], $11::bigint[],
            $12::text[], $21::boolean[]
        )
            as n (
                delivery_id, subscription_id, type, event_key, xid, outbox_id, order_key, is_shadow
            )
    on conflict (delivery_id) do nothing
    returning *
),

positions as (
    select n.*
    from moved
    cross join
        unnest(
            $13::uuid[], $14::uuid[], $15::uuid[], $16::xid8[], $17::bigint[], $18::text[],
            $19::text[], $20::text[], $22::boolean[]
        )
            as n (
                delivery_id, subscription_id, event_key, xid, outbox_id, order_key, sku, place,
                is_shadow
            )
),

told as (
    insert into deliveries (
        delivery_id, subscription_id, type, event_key, xid, outbox_id, order_key, sku, place
    )
    select
        delivery_id,
        subscription_id,
        'stock.changed',
        event_key,
        xid,
        outbox_id,
        order_key,
        sku,
        place
    from positions
    where not is_shadow
    on conflict (subscription_id, order_key) where state = 'waiting' and sku is not null
    do update
        set
            generation = deliveries.generation + 1,
            changed_xid = pg_current_xact_id()
    returning *
),

noted as (
    select * from facts
    union all
    select * from told
),

would_be_told as (
    insert into deliveries (
        delivery_id, subscription_id, type, event_key, xid, outbox_id, order_key, sku, place,
        state, ended_at
    )
    select
        delivery_id,
        subscription_id,
        'stock.changed',
        event_key,
        xid,
        outbox_id,
        order_key,
        sku,
        place,
        'shadow',
        now()
    from positions
    where is_shadow
    on conflict (subscription_id, order_key) where state = 'shadow' and sku is not null
    do update set
        generation = deliveries.generation + 1,
        event_key = excluded.event_key,
        xid = excluded.xid,
        outbox_id = excluded.outbox_id,
        ended_at = now(),
        changed_xid = pg_current_xact_id()
)

select
    d.delivery_id,
    d.seq,
    d.subscription_id,
    d.type,
    d.event_key,
    d.xid,
    d.outbox_id,
    d.order_key,
    d.sku,
    d.place,
    d.generation,
    d.attempts,
    d.next_at,
    d.is_replay,
    d.created_at,
    d.rule,
    d.rule_version,
    d.action
from moved as m
left join noted as d
    on d.state = 'waiting' and m.reader is not null
order by d.seq;

-- name: changed_positions
-- What these transactions changed of what is told. A count that finds what was known changes
-- nothing, so a channel that tells the hub what the hub told it is told nothing again.
select
    sku,
    place,
    changed_xid
from stock_movements
where changed_xid = any($1::xid8[])
group by sku, place, changed_xid
having
    sum(on_hand_milli) <> 0
    or sum(committed_milli + reserved_milli + unavailable_milli) <> 0
order by changed_xid, sku, place;

-- name: waiting
-- The first that wait of each subscription in $1, at most $2 each, in their order.
select
    d.delivery_id,
    d.seq,
    d.subscription_id,
    d.type,
    d.event_key,
    d.xid,
    d.outbox_id,
    d.order_key,
    d.sku,
    d.place,
    d.generation,
    d.attempts,
    d.next_at,
    d.is_replay,
    d.created_at,
    d.rule,
    d.rule_version,
    d.action
from unnest($1::uuid[]) as s (subscription_id)
cross join
    lateral (
        select *
        from deliveries as w
        where w.subscription_id = s.subscription_id and w.state = 'waiting'
        order by w.seq
        limit $2
    ) as d
order by d.seq;

-- name: note_attempt
insert into delivery_attempts (delivery_id, attempt, attempted_at, status, error, duration_ms)
values ($1, $2, $3, $4, $5, $6);

-- name: end_delivered
-- Those that receivers took; $7: which generation was sent. A position that changed meanwhile waits
-- on, at once.
with sent as (
    select *
    from
        unnest(
            $1::uuid[], $2::int[], $3::timestamptz[], $4::int[], $5::text[], $6::real[], $7::int[]
        )
            as n (delivery_id, attempt, attempted_at, status, error, duration_ms, generation)
),

noted as (
    insert into delivery_attempts (delivery_id, attempt, attempted_at, status, error, duration_ms)
    select
        delivery_id,
        attempt,
        attempted_at,
        status,
        error,
        duration_ms
    from sent
)

update deliveries as d
set
    state = case when d.generation = s.generation then 'delivered' else 'waiting' end,
    attempts = case when d.generation = s.generation then s.attempt else 0 end,
    last_status = s.status,
    last_error = s.error,
    next_at = now(),
    ended_at = case when d.generation = s.generation then now() end,
    changed_xid = pg_current_xact_id()
from sent as s
where d.delivery_id = s.delivery_id;

-- name: end_delivery
-- $6: which generation was sent, null for any. A position that changed meanwhile waits on, at once.
update deliveries
set
    state = case when generation = coalesce($6, generation) then $2 else 'waiting' end,
    attempts = case when generation = coalesce($6, generation) then $3 else 0 end,
    last_status = $4,
    last_error = $5,
    next_at = now(),
    ended_at = case when generation = coalesce($6, generation) then now() end,
    changed_xid = pg_current_xact_id()
where delivery_id = $1;

-- name: try_again
update deliveries
set
    attempts = $2,
    next_at = $3,
    last_status = $4,
    last_error = $5,
    changed_xid = pg_current_xact_id()
where delivery_id = $1;

-- name: retry
-- A person has it sent again: after those that wait of its object.
update deliveries
set
    state = 'waiting',
    attempts = 0,
    seq = nextval('delivery_seq'),
    next_at = now(),
    created_at = now(),
    ended_at = null,
    changed_xid = pg_current_xact_id()
where delivery_id = $1 and state <> 'waiting' and sku is null
returning event_key, rule, rule_version;

-- name: listed
-- Of the subscriptions in $1, the newest first, before seq $2; in state $3 if one is named.
select
    delivery_id,
    seq,
    subscription_id,
    type,
    event_key,
    state,
    attempts,
    next_at,
    is_replay,
    last_status,
    last_error,
    created_at,
    ended_at
from deliveries
where
    subscription_id = any($1::uuid[])
    and ($2::bigint is null or seq < $2)
    and ($3::text is null or state = $3)
order by seq desc
limit $4;

-- name: owner
select subscription_id from deliveries where delivery_id = $1;

-- name: one
select
    delivery_id,
    seq,
    subscription_id,
    type,
    event_key,
    xid,
    outbox_id,
    order_key,
    sku,
    place,
    state,
    generation,
    attempts,
    next_at,
    is_replay,
    last_status,
    last_error,
    created_at,
    ended_at,
    rule,
    rule_version,
    action
from deliveries
where delivery_id = $1;

-- name: all_positions
-- After ($1, $2), $3 of them.
select
    sku,
    place
from stock_positions
where (sku, place) > ($1::text, $2::text)
order by sku, place
limit $3;

-- name: add_resync
-- Each position once; one that waits already is told as it is anyway.
insert into deliveries (
    delivery_id, subscription_id, type, event_key, xid, outbox_id, order_key, sku, place, is_replay
)
select
    n.delivery_id,
    $1,
    'stock.changed',
    n.delivery_id,
    '0'::xid8,
    0,
    n.order_key,
    n.sku,
    n.place,
    true
from
    unnest($2::uuid[], $3::text[], $4::text[], $5::text[])
        as n (delivery_id, order_key, sku, place)
on conflict (subscription_id, order_key) where state = 'waiting' and sku is not null
do nothing;

-- name: attempts
select
    attempt,
    attempted_at,
    status,
    error,
    duration_ms
from delivery_attempts
where delivery_id = $1
order by attempt_id;

-- name: replayed
-- Facts that were received from $1 to $2.
select
    xid,
    outbox_id
from outbox
where received_at >= $1 and received_at < $2
order by xid, outbox_id
limit $3;

-- name: positions
-- What is past its best-before is there, and cannot be had.
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
from unnest($1::text[], $2::text[]) as k (sku, place)
inner join stock_positions as p on k.sku = p.sku and k.place = p.place;

-- name: forget
-- What ended before $1, at most $2 of it.
with old as (
    select delivery_id
    from deliveries
    where state <> 'waiting' and ended_at < $1
    order by ended_at
    limit $2
),

attempts as (
    delete from delivery_attempts as a
    using old
    where a.delivery_id = old.delivery_id
)

delete from deliveries as d
using old
where d.delivery_id = old.delivery_id;
