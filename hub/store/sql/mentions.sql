-- Who is named by events of no account.

-- name: forgotten
select
    value_hmac,
    erased_at
from log.forgotten_values
where value_hmac = any($1::uuid[]);

-- name: keep_forgotten
insert into log.forgotten_values as f (value_hmac, erased_at)
select
    value_hmac,
    erased_at
from unnest($1::uuid[], $2::timestamptz[]) as k (value_hmac, erased_at)
on conflict on constraint forgotten_values_pk do update
    set erased_at = greatest(f.erased_at, excluded.erased_at);

-- The events that named these values until then; one that named two stays known by no other.
-- name: take
with named as (
    delete from log.mentions as m
    using unnest($1::uuid[], $2::timestamptz[]) as k (value_hmac, erased_at)
    where
        m.value_hmac = k.value_hmac
        and m.occurred_at <= k.erased_at
    returning m.entity_key, m.log_id, m.received_at, m.event_key
),

others as (
    delete from log.mentions as m
    using named as n
    where
        m.event_key = n.event_key
        and m.value_hmac <> all($1::uuid[])
)

select distinct
    e.entity_kind,
    e.entity_key,
    e.event_key,
    e.log_id,
    e.received_at,
    e.body,
    e.sealed_by
from named as n
inner join log.events as e
    on
        n.entity_key = e.entity_key
        and n.log_id = e.log_id
        and n.received_at = e.received_at;

-- Keys of entities of which nothing sealed is left.
-- name: drop_keys
delete from log.profile_keys as k
where
    k.profile_id = any($1::uuid[])
    and not exists (select from log.events as e where e.sealed_by = k.profile_id);
