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

-- name: changed_positions
-- A position that another write changed since is told with that one's fact.
select
    sku,
    place,
    changed_xid
from stock_positions
where changed_xid = any($1::xid8[]);

-- name: add_stock
-- One waits for each position: what changes meanwhile is told with it, or after it.
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
from
    unnest(
        $1::uuid[], $2::uuid[], $3::uuid[], $4::xid8[], $5::bigint[], $6::text[], $7::text[],
        $8::text[]
    )
        as n (delivery_id, subscription_id, event_key, xid, outbox_id, order_key, sku, place)
on conflict (subscription_id, order_key) where state = 'waiting' and sku is not null
do update set
    generation = deliveries.generation + 1,
    changed_xid = pg_current_xact_id();

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
insert into delivery_attempts (delivery_id, attempt, status, error, duration_ms)
values ($1, $2, $3, $4, $5);

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

-- name: position
select
    on_hand_milli,
    committed_milli,
    reserved_milli,
    unavailable_milli,
    version
from stock_positions
where sku = $1 and place = $2;
