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
    member_id,
    first_seen_at
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

-- The accounts of a member; of one that was merged away those of its survivor.
-- name: accounts
with recursive chain as (
    select
        member_id,
        merged_into
    from members
    where member_id = $1
    union all
    select
        m.member_id,
        m.merged_into
    from chain
    inner join members as m on chain.merged_into = m.member_id
)

select
    profile_id,
    channel,
    account
from profiles
where member_id = (select member_id from chain where merged_into is null)
order by profile_id;

-- name: all_profiles
select
    profile_id,
    channel,
    account
from profiles;

-- name: member_of
select member_id
from profiles
where profile_id = $1;

-- name: personal
select
    profile_id,
    personal
from profiles
where
    profile_id = any($1::uuid[])
    and personal is not null;

-- name: is_registered
select registered_at is not null
from profiles
where profile_id = $1;

-- When the last thing that is known of a profile happened, which may be ahead of our clock.
-- name: last_told
select greatest(max(occurred_at), now())
from log.events
where
    entity_key = $1
    and entity_kind = 'profile';
