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
    array(select nextval('log.log_id_seq') from generate_series(1, $1::int)) as log_ids;

-- The events of some entities, received since a time, before a place in the log.
-- name: history
select
    entity_key,
    event_key,
    headers,
    body,
    sealed_by
from log.events
where
    entity_key = any($1::uuid[])
    and received_at >= $2
    and log_id < $3
    and entity_kind = $4;

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
    changed_xid = pg_current_xact_id()
from unnest($1::uuid[], $2::text[], $3::text[], $4::text[]) as r (event_key, outcome, reason, waits_for)
where i.event_key = r.event_key;

-- name: parked_since
select
    entity_key,
    min(received_at) as first_received_at
from parked
where entity_key = any($1::uuid[])
group by entity_key;

-- name: unpark
delete from parked
where event_key = any($1::uuid[]);
