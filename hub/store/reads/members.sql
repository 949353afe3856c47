-- name: survivor
-- The member that answers for $3 today, if the viewer's channel has a profile of it.
with recursive chain as (
    select
        m.member_id,
        m.merged_into,
        m.first_seen_at,
        0 as hops
    from hub.members as m
    where m.member_id = $3
    union all
    select
        m.member_id,
        m.merged_into,
        m.first_seen_at,
        chain.hops + 1 as hops
    from chain
    inner join hub.members as m on chain.merged_into = m.member_id
    -- Merges point at the survivor at once, so chains are short; this ends a broken one.
    where chain.hops < 64
)

select
    chain.member_id,
    chain.first_seen_at
from chain
where
    chain.merged_into is null
    and (
        $1::text is null
        or exists (
            select 1 from hub.profiles as p
            where p.member_id = chain.member_id and p.channel = $1
        )
    )
    and $2::boolean is not null;

-- name: profiles
-- The profiles of member $3 that the viewer sees.
select
    p.profile_id,
    p.channel,
    p.registered_at,
    p.first_seen_at,
    case when $1::text is null or p.channel = $1 then p.account end as account,
    p.personal is not null as has_personal_data
from hub.profiles as p
where p.member_id = $3 and ($1::text is null or $2::boolean or p.channel = $1)
order by p.first_seen_at, p.profile_id
limit 1000;

-- name: identifiers
-- The identifiers of member $3's profiles. Values are kept as keyed digests only.
select
    i.profile_id,
    p.channel,
    i.identifier_type,
    i.value_hmac,
    i.proof,
    i.valid_from,
    i.valid_to
from hub.profile_identifiers as i
inner join hub.profiles as p on i.profile_id = p.profile_id
where
    p.member_id = $3
    and ($1::text is null or $2::boolean or p.channel = $1)
    and (
        $4::timestamptz is null
        or (i.valid_from, i.profile_id, i.identifier_type, i.value_hmac)
        > ($4, $5::uuid, $6::text, $7::uuid)
    )
order by i.valid_from, i.profile_id, i.identifier_type, i.value_hmac
limit $8;

-- name: holders
-- The members who hold identifier ($3, $4) now; an identifier of another channel's profile counts
-- only for a viewer who sees that profile.
select
    p.member_id,
    bool_or(i.proof = 'verified') as is_verified
from hub.profile_identifiers as i
inner join hub.profiles as p on i.profile_id = p.profile_id
where
    i.identifier_type = $3
    and i.value_hmac = $4
    and i.valid_to is null
    and ($1::text is null or $2::boolean or p.channel = $1)
    and (
        $1::text is null
        or exists (
            select 1 from hub.profiles as own
            where own.member_id = p.member_id and own.channel = $1
        )
    )
group by p.member_id
order by is_verified desc, p.member_id
limit 20;

-- name: holder_of_profile
-- The member of profile $3.
select
    p.member_id,
    true as is_verified
from hub.profiles as p
where p.profile_id = $3 and ($1::text is null or p.channel = $1) and $2::boolean is not null;

-- name: timeline
-- What the log holds of profiles $3, with their orders and coupons: newest first. Never the event
-- itself, only what happened to which object.
with objects as (
    select
        'member' as object_kind,
        p.profile_id as object_id
    from unnest($3::uuid []) as p (profile_id)
    union all
    select
        'order' as object_kind,
        o.order_id as object_id
    from hub.orders as o
    where o.profile_id = any($3::uuid [])
    union all
    select
        'coupon' as object_kind,
        c.coupon_id as object_id
    from hub.coupons as c
    where c.profile_id = any($3::uuid [])
    union all
    select
        'spending' as object_kind,
        s.spend_id as object_id
    from hub.points_spends as s
    where s.profile_id = any($3::uuid [])
)

select
    e.event_key,
    e.occurred_at,
    e.received_at,
    e.type,
    objects.object_kind,
    objects.object_id,
    i.outcome,
    i.reason,
    split_part(e.source, '/', 3) as channel,
    split_part(e.source, '/', 5) as shop
from objects
inner join log.events as e on objects.object_id = e.entity_key
inner join log.inbox as i on e.event_key = i.event_key
where
    ($1::text is null or $2::boolean or split_part(e.source, '/', 3) = $1)
    and ($4::timestamptz is null or (e.occurred_at, e.event_key) < ($4, $5::uuid))
order by e.occurred_at desc, e.event_key desc
limit $6;

-- name: said
-- What profiles $3 say of the person: values, and when each was last said, personal ones too.
select
    p.profile_id,
    p.channel,
    p.attributes,
    p.said_at
from hub.profiles as p
where
    p.profile_id = any($3::uuid [])
    and ($1::text is null or $2::boolean or p.channel = $1);

-- name: consents
-- What the person of profiles $3 allows.
select
    c.profile_id,
    p.channel,
    c.purpose,
    c.medium,
    c.is_granted,
    c.changed_at
from hub.profile_consents as c
inner join hub.profiles as p on c.profile_id = p.profile_id
where
    c.profile_id = any($3::uuid [])
    and ($1::text is null or $2::boolean or p.channel = $1)
order by c.purpose, c.medium, p.channel, c.profile_id;

-- name: merges
-- The manifests that name member $1, before or after, the newest first.
select
    m.merge_id,
    m.kind,
    m.members_before,
    m.members_after,
    m.edges,
    m.rule_version,
    m.merged_at
from hub.member_merges as m
where m.members_before ? $1 or m.members_after ? $1
order by m.merged_at desc, m.merge_id desc
limit 200;

-- name: merge
select members_before
from hub.member_merges
where merge_id = $1;

-- name: held_points
-- What profiles hold together.
select
    coalesce(sum(a.open_points - a.debt_points), 0)::bigint as points,
    (select count(*) from hub.coupons as c where c.profile_id = any($1::uuid [])) as coupons,
    (select count(*) from hub.orders as o where o.profile_id = any($1::uuid [])) as orders
from hub.points_accounts as a
where a.profile_id = any($1::uuid []);

-- name: certificates
-- What became of the data of profile $3 when it was erased, the newest first.
select
    e.profile_id,
    e.erased_at,
    e.certified_at,
    e.results
from log.erasures as e
inner join hub.profiles as p on e.profile_id = p.profile_id
where
    e.profile_id = $3
    and ($1::text is null or p.channel = $1)
    and $2::boolean is not null
order by e.erased_at desc
limit 20;
