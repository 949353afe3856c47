-- Profiles, identifiers and members.

-- name: unknown_profiles
select k.profile_id
from unnest($1::uuid[]) as k (profile_id)
where not exists (select from profiles as p where p.profile_id = k.profile_id);

-- name: lock_profiles
select
    profile_id,
    channel,
    account,
    member_id
from profiles
where profile_id = any($1::uuid[])
order by profile_id
for update;

-- name: lock_values
select 1
from identifier_values as v
inner join unnest($1::text[], $2::uuid[]) as k (identifier_type, value_hmac)
    on
        v.identifier_type = k.identifier_type
        and v.value_hmac = k.value_hmac
order by v.identifier_type, v.value_hmac
for update of v;

-- name: holders
select
    i.identifier_type,
    i.value_hmac,
    p.member_id
from profile_identifiers as i
inner join unnest($1::text[], $2::uuid[]) as k (identifier_type, value_hmac)
    on
        i.identifier_type = k.identifier_type
        and i.value_hmac = k.value_hmac
inner join profiles as p on i.profile_id = p.profile_id
where
    i.proof = 'verified'
    and i.valid_to is null
order by i.identifier_type, i.value_hmac, p.member_id;

-- name: lock_members
select member_id
from members
where member_id = any($1::uuid[])
order by member_id
for update;

-- name: move_profiles
with chosen as (
    select
        p.profile_id,
        p.member_id as was,
        k.survivor
    from profiles as p
    inner join unnest($1::uuid[], $2::uuid[]) as k (member_id, survivor)
        on p.member_id = k.member_id
    order by p.profile_id
    for update of p
)

update profiles as p
set
    member_id = c.survivor,
    changed_xid = pg_current_xact_id()
from chosen as c
where p.profile_id = c.profile_id
returning p.profile_id, c.was, p.member_id;

-- name: merge_members
update members as m
set
    merged_into = k.survivor,
    changed_xid = pg_current_xact_id()
from unnest($1::uuid[], $2::uuid[]) as k (member_id, survivor)
where
    m.member_id = k.member_id
    or m.merged_into = k.member_id;

-- name: close_links
update member_links
set
    valid_to = $2,
    changed_xid = pg_current_xact_id()
where
    profile_id = any($1::uuid[])
    and valid_to is null;
