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

-- Takes profiles out of the manifests that name them, but for one that tells of a group they are
-- in now: what joined them happened after the erasure.
-- name: forget_merges
with said as (
    select
        m.merge_id,
        s.side,
        g.member_id,
        jsonb_agg(p.profile_id order by p.profile_id) as profiles
    from member_merges as m
    cross join
        lateral (values ('before', m.members_before), ('after', m.members_after))
            as s (side, members)
    cross join lateral jsonb_each(s.members) as g (member_id, profiles)
    cross join lateral jsonb_array_elements_text(g.profiles) as p (profile_id)
    where p.profile_id <> all($1::text[])
    group by m.merge_id, s.side, g.member_id
)

update member_merges as m
set
    members_before = coalesce((
        select jsonb_object_agg(s.member_id, s.profiles)
        from said as s
        where s.merge_id = m.merge_id and s.side = 'before'
    ), '{}'),
    members_after = coalesce((
        select jsonb_object_agg(s.member_id, s.profiles)
        from said as s
        where s.merge_id = m.merge_id and s.side = 'after'
    ), '{}'),
    edges = '[]',
    changed_xid = pg_current_xact_id()
where
    exists (
        select
        from jsonb_each(m.members_after) as g (member_id, profiles)
        where g.profiles ?| $1::text[]
    )
    and not exists (
        select
        from jsonb_each(m.members_after) as g (member_id, profiles)
        where
            g.profiles ?| $1::text[]
            and jsonb_array_length(g.profiles) > 1
            and g.profiles = (
                select jsonb_agg(p.profile_id order by p.profile_id)
                from profiles as p
                where p.member_id = g.member_id::uuid
            )
    )
returning m.merge_id;

-- Manifests that tell of nobody joined or parted any more.
-- name: drop_merges
delete from member_merges as m
where
    m.merge_id = any($1::uuid[])
    and not exists (
        select
        from
            (values (m.members_before), (m.members_after)) as s (members)
        cross join lateral jsonb_each(s.members) as g (member_id, profiles)
        where jsonb_array_length(g.profiles) > 1
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
