-- The log of events as they came, and the inbox of their identities.

-- name: known
select
    event_key,
    payload_hash,
    entity_key,
    log_id,
    received_at
from log.inbox
where event_key = any($1::uuid[]);

-- name: stamp
select
    now() as received_at,
    array(select nextval('log.log_id_seq') from generate_series(1, $1::int)) as log_ids,
    -- Whether orders have to look beyond their own events: most hubs have no bundles.
    exists (select from item_components)
    or exists (select from configs where kind in ('shop_places', 'unknown_items')) as has_supply,
    -- Most hubs follow the matching policy that they come with.
    (
        select document::text
        from configs
        where
            kind = 'matching_policy'
            and name = 'default'
        order by published_at desc, event_key desc
        limit 1
    ) as policy;

-- One lock an entity, in the order given; each ends with the transaction. Writes share $2, but for
-- one that holds all others back.
-- name: claim
select
    case
        when k.lock = $2 then pg_advisory_xact_lock_shared(k.lock)
        else pg_advisory_xact_lock(k.lock)
    end
from unnest($1::bigint[]) as k (lock);

-- name: try_claim
select pg_try_advisory_xact_lock($1);

-- The events of some entities, received since a time, before a place in the log.
-- name: history
select
    e.entity_key,
    e.event_key,
    e.headers,
    e.body,
    e.sealed_by
from unnest($1::uuid[]) as k (entity_key)
cross join lateral (
    select
        entity_key,
        event_key,
        headers,
        body,
        sealed_by
    from log.events
    where
        entity_key = k.entity_key
        and received_at >= $2
        and log_id < $3
        and entity_kind = $4
        -- What was forgotten is no part of any history.
        and octet_length(body) > 0
    order by log_id
    limit $5
) as e;

-- name: bodies
select
    e.event_key,
    e.headers,
    e.body,
    e.sealed_by
from unnest($1::uuid[], $2::bigint[], $3::timestamptz[]) as k (entity_key, log_id, received_at)
inner join log.events as e
    on
        k.entity_key = e.entity_key
        and k.log_id = e.log_id
        and k.received_at = e.received_at;

-- name: revise
update log.inbox as i
set
    outcome = r.outcome,
    reason = r.reason,
    waits_for = r.waits_for,
    is_announced = i.is_announced or r.outcome = 'applied',
    changed_xid = pg_current_xact_id()
from
    unnest($1::uuid[], $2::text[], $3::text[], $4::text[])
        as r (event_key, outcome, reason, waits_for)
where i.event_key = r.event_key;

-- name: parked_since
select
    entity_key,
    min(received_at) as first_received_at
from parked
where entity_key = any($1::uuid[])
group by entity_key;

-- Events that wait again, or for something else.
-- name: park_again
insert into parked (event_key, entity_kind, entity_key, received_at, waits_for)
select
    i.event_key,
    w.entity_kind,
    i.entity_key,
    i.received_at,
    w.waits_for
from unnest($1::uuid[], $2::text[], $3::text[]) as w (event_key, entity_kind, waits_for)
inner join log.inbox as i on w.event_key = i.event_key
on conflict (event_key) do update set
    waits_for = excluded.waits_for,
    changed_xid = pg_current_xact_id();

-- name: unpark
delete from parked
where event_key = any($1::uuid[]);
