-- Forgetting a person.

-- Profiles that share a value with some, or are one member with them; not those of a value that so
-- many hold that it stays too many.
-- name: sharing
select theirs.profile_id
from profile_identifiers as ours
inner join profile_identifiers as theirs
    on
        ours.identifier_type = theirs.identifier_type
        and ours.value_hmac = theirs.value_hmac
where
    ours.profile_id = any($1::uuid[])
    and not exists (
        select 1
        from profile_identifiers as others
        where
            others.identifier_type = ours.identifier_type
            and others.value_hmac = ours.value_hmac
        offset $2
    )
union
select mates.profile_id
from profiles as ours
inner join profiles as mates on ours.member_id = mates.member_id
where ours.profile_id = any($1::uuid[]);

-- name: forget_identifiers
delete from profile_identifiers as i
using unnest($1::uuid[], $2::timestamptz[]) as k (profile_id, erased_at)
where
    i.profile_id = k.profile_id
    and i.valid_from <= k.erased_at
returning i.identifier_type, i.value_hmac;

-- name: forget_consents
delete from profile_consents as c
using unnest($1::uuid[], $2::timestamptz[]) as k (profile_id, erased_at)
where
    c.profile_id = k.profile_id
    and c.changed_at <= k.erased_at;

-- name: forget_cases
delete from cases
where case_id = any($1::uuid[]);

-- name: forget_links
update member_links
set
    evidence = '{}',
    changed_xid = pg_current_xact_id()
where profile_id = any($1::uuid[]);

-- name: forget_merges
delete from member_merges as m
where
    exists (
        select
        from jsonb_each(m.members_before || m.members_after) as g (member_id, profiles)
        where g.profiles ?| $1::text[]
    );

-- name: sealed_events
select
    entity_kind,
    entity_key,
    event_key,
    log_id,
    received_at,
    occurred_at,
    body
from log.events
where sealed_by = $1;

-- name: rewrite
update log.events as e
set
    body = k.body,
    sealed_by = k.sealed_by,
    kafka_key = null,
    headers = case when octet_length(k.body) > 0 then e.headers end
from
    unnest($1::uuid[], $2::bigint[], $3::timestamptz[], $4::bytea[], $5::uuid[])
        as k (entity_key, log_id, received_at, body, sealed_by)
where
    e.entity_key = k.entity_key
    and e.log_id = k.log_id
    and e.received_at = k.received_at;

-- name: personal
select personal
from profiles
where
    profile_id = $1
    and personal is not null;

-- name: set_personal
update profiles
set personal = $2
where profile_id = $1;

-- name: drop_key
delete from log.profile_keys
where profile_id = $1;

-- name: erased_at
select
    profile_id,
    erased_at
from profiles
where
    profile_id = any($1::uuid[])
    and erased_at is not null;
