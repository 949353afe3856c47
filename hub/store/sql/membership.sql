-- Which profiles are one member.

-- The profiles that anything might join with some profiles: by values they proved to hold, unless
-- too many hold it, and by rulings. $2, $3: types of identifiers, and how many may share a value.
-- name: reach
with recursive reach (profile_id) as (
    select unnest($1::uuid[]) as profile_id
    union
    select next.profile_id
    from reach as r
    cross join lateral (
        select theirs.profile_id
        from profile_identifiers as ours
        inner join
            unnest($2::text[], $3::int[]) as k (identifier_type, profiles_max)
            on ours.identifier_type = k.identifier_type
        inner join profile_identifiers as theirs
            on
                ours.identifier_type = theirs.identifier_type
                and ours.value_hmac = theirs.value_hmac
        where
            ours.profile_id = r.profile_id
            and ours.proof = 'verified'
            and theirs.proof = 'verified'
            and not exists (
                select 1
                from profile_identifiers as others
                where
                    others.identifier_type = ours.identifier_type
                    and others.value_hmac = ours.value_hmac
                    and others.proof = 'verified'
                offset k.profiles_max
            )
        union all
        select m.right_profile
        from member_rulings as m
        where
            m.left_profile = r.profile_id
            and m.is_one
        union all
        select m.left_profile
        from member_rulings as m
        where
            m.right_profile = r.profile_id
            and m.is_one
    ) as next
)

select
    p.profile_id,
    p.channel,
    p.member_id
from reach as r
inner join profiles as p on r.profile_id = p.profile_id
order by p.profile_id;

-- The policy that was published last; nothing about from when it counts, since it does at once.
-- name: policy_in_force
select document::text
from configs
where
    kind = 'matching_policy'
    and name = 'default'
order by published_at desc, event_key desc
limit 1;

-- Profiles that share anything with others, or are one member with others now.
-- name: sharing
select profile_id
from profile_identifiers
where
    proof = 'verified'
    and (identifier_type, value_hmac) in (
        select
            i.identifier_type,
            i.value_hmac
        from profile_identifiers as i
        where i.proof = 'verified'
        group by i.identifier_type, i.value_hmac
        having count(*) > 1
    )
union
select unnest(array[left_profile, right_profile])
from member_rulings
union
select unnest(array[profile_id, member_id])
from profiles
where member_id <> profile_id
limit $1;

-- What some profiles proved to hold, and whether more share it than may.
-- name: holdings
select
    i.profile_id,
    i.identifier_type,
    i.value_hmac,
    i.scope,
    i.valid_from,
    i.last_shown_at,
    i.standing,
    i.valid_to,
    exists(
        select 1
        from profile_identifiers as others
        where
            others.identifier_type = i.identifier_type
            and others.value_hmac = i.value_hmac
            and others.proof = 'verified'
        offset k.profiles_max
    ) as is_overused
from profile_identifiers as i
left join
    unnest($2::text[], $3::int[]) as k (identifier_type, profiles_max)
    on i.identifier_type = k.identifier_type
where
    i.profile_id = any($1::uuid[])
    and i.proof = 'verified';

-- What was ruled about a person before they were erased is no more.
-- name: rulings
select
    m.left_profile,
    m.right_profile,
    m.is_one,
    m.ruled_at
from member_rulings as m
inner join profiles as l on m.left_profile = l.profile_id
inner join profiles as r on m.right_profile = r.profile_id
where
    m.left_profile = any($1::uuid[])
    and m.right_profile = any($1::uuid[])
    and m.ruled_at > all(array_remove(array[l.erased_at, r.erased_at], null));

-- name: lock_members
select member_id
from members
where member_id = any($1::uuid[])
order by member_id
for update;

-- name: move_profiles
update profiles as p
set
    member_id = k.member_id,
    changed_xid = pg_current_xact_id()
from unnest($1::uuid[], $2::uuid[]) as k (profile_id, member_id)
where p.profile_id = k.profile_id;

-- A member is named by a profile: its id answers for the member whom that profile belongs to.
-- name: point_members
update members as m
set
    merged_into = nullif(k.member_id, k.profile_id),
    changed_xid = pg_current_xact_id()
from unnest($1::uuid[], $2::uuid[]) as k (profile_id, member_id)
where m.member_id = k.profile_id;

-- A write that waited for another may have begun before the link that it ends.
-- name: close_links
update member_links
set
    valid_to = greatest($2, valid_from),
    changed_xid = pg_current_xact_id()
where
    profile_id = any($1::uuid[])
    and valid_to is null;

-- name: set_standings
update profile_identifiers as i
set
    standing = k.standing,
    valid_to = k.valid_to,
    changed_xid = pg_current_xact_id()
from
    unnest($1::uuid[], $2::text[], $3::uuid[], $4::text[], $5::timestamptz[])
        as k (profile_id, identifier_type, value_hmac, standing, valid_to)
where
    i.profile_id = k.profile_id
    and i.identifier_type = k.identifier_type
    and i.value_hmac = k.value_hmac;
