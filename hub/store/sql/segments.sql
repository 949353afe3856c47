-- Who is in a segment: the accounts of its members, in the channels $3 if there are any, with what
-- of theirs ends between $1 and $2.

-- name: points_at_risk
with ending as (
    select
        p.member_id,
        sum(l.open_points)::bigint as count,
        min(coalesce(l.grace_until, l.expires_at)) as next_at
    from points_lots as l
    inner join profiles as p on l.profile_id = p.profile_id
    where
        l.open_points > 0
        and coalesce(l.grace_until, l.expires_at) > $1
        and coalesce(l.grace_until, l.expires_at) <= $2
    group by p.member_id
)

select
    p.profile_id,
    p.channel,
    p.account,
    e.count,
    e.next_at
from ending as e
inner join profiles as p on e.member_id = p.member_id
where p.account <> '' and ($3::text[] = '{}' or p.channel = any($3))
order by p.profile_id
limit $4;

-- name: coupons_at_risk
with ending as (
    select
        p.member_id,
        count(*) as count,
        min(c.usable_until) as next_at
    from coupons as c
    inner join profiles as p on c.profile_id = p.profile_id
    where
        c.status in ('issued', 'claimed')
        and c.usable_until > $1
        and c.usable_until <= $2
    group by p.member_id
)

select
    p.profile_id,
    p.channel,
    p.account,
    e.count,
    e.next_at
from ending as e
inner join profiles as p on e.member_id = p.member_id
where p.account <> '' and ($3::text[] = '{}' or p.channel = any($3))
order by p.profile_id
limit $4;
