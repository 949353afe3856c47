-- Tiers: levels of members in schemes.

-- All profiles of the members to whom some belong.
-- name: mates
select
    mates.profile_id,
    mates.member_id
from profiles as mates
where
    mates.member_id in (
        select p.member_id
        from profiles as p
        where p.profile_id = any($1::uuid[])
    );

-- What each event brought, summed: entries correct what came too early.
-- name: facts
select
    profile_id,
    occurred_at,
    event_key,
    sum(growth)::bigint as growth,
    sum(coalesce(amount_minor, 0))::bigint as amount_minor,
    currency,
    order_id
from growth_entries
where profile_id = any($1::uuid[])
group by profile_id, occurred_at, event_key, currency, order_id
having (sum(growth), sum(coalesce(amount_minor, 0))) is distinct from (0, 0);

-- Orders beside whose lot there is one of a level's factor.
-- name: bonus_orders
select
    profile_id,
    order_id
from points_lots
where
    profile_id = any($1::uuid[])
    and rule_version like 'tier/%';

-- name: lots
select
    lot_id,
    granted_points,
    earned_points,
    earned_at,
    opens_at,
    expires_at,
    rule_version
from points_lots
where lot_id = any($1::uuid[]);

-- name: reviews
select
    profile_id,
    scheme,
    reviewed_at
from tier_reviews
where profile_id = any($1::uuid[]);

-- name: gifts
select
    g.profile_id,
    g.scheme,
    g.level,
    g.reached_at,
    g.valid_until,
    g.code,
    g.recalled_at
from tier_gifts as g
where g.profile_id = any($1::uuid[]);

-- How many of a paid membership's items orders hold.
-- name: bought
select
    order_id,
    sku,
    sum(quantity_milli)::bigint as quantity_milli
from order_lines
where
    order_id = any($1::uuid[])
    and sku = any($2::text[])
group by order_id, sku;

-- name: review
insert into tier_reviews (profile_id, scheme, reviewed_at)
select
    k.profile_id,
    k.scheme,
    max(k.reviewed_at) as reviewed_at
from unnest($1::uuid[], $2::text[], $3::timestamptz[]) as k (profile_id, scheme, reviewed_at)
group by k.profile_id, k.scheme
on conflict (profile_id, scheme) do update set
    reviewed_at = greatest(tier_reviews.reviewed_at, excluded.reviewed_at),
    changed_xid = pg_current_xact_id();

-- name: recall
update tier_gifts as g
set
    recalled_at = k.recalled_at,
    changed_xid = pg_current_xact_id()
from unnest($1::text[], $2::timestamptz[]) as k (code, recalled_at)
where g.code = k.code;

-- name: forget
delete from member_tiers
where member_id = any($1::uuid[]);

-- name: forget_changes
delete from tier_changes
where member_id = any($1::uuid[]);

-- Writes of growth end before, and none begins until the members there are have been placed.
-- name: hold_growth
lock table growth_entries in share row exclusive mode;

-- As writes of growth do.
-- name: join_growth
lock table growth_entries in row exclusive mode;

-- Whoever has growth when a version of a scheme is published is looked at when it comes into force.
-- name: place
with known as (
    select profile_id
    from growth_entries
    group by profile_id, occurred_at, event_key, currency, order_id
    having (sum(growth), sum(coalesce(amount_minor, 0))) is distinct from (0, 0)
)

insert into member_tiers (member_id, scheme, scheme_version, due_at, has_gifts_due)
select distinct
    p.member_id,
    $1::text as scheme,
    0 as scheme_version,
    $2::timestamptz as due_at,
    false as has_gifts_due
from profiles as p
inner join known as k on p.profile_id = k.profile_id
on conflict (member_id, scheme) do update set
    due_at = least(member_tiers.due_at, excluded.due_at),
    changed_xid = pg_current_xact_id();

-- Who is told beyond a version's beginning already, by clocks that run ahead.
-- name: told_beyond
select profile_id
from growth_entries
where occurred_at >= $2
union
select profile_id
from tier_reviews
where
    scheme = $1
    and reviewed_at >= $2;

-- name: due
select
    member_id,
    scheme
from member_tiers
where
    due_at <= $1
    or has_gifts_due
order by due_at nulls first, member_id
limit $2;

-- name: coupon_of_gift
select
    c.coupon_id,
    c.channel,
    c.status,
    c.uses_redeemed
from coupons as c
where c.coupon_id = $1;

-- name: account
select
    channel,
    account
from profiles
where profile_id = $1;

-- name: with_growth
select distinct p.member_id
from profiles as p
inner join growth_entries as e on p.profile_id = e.profile_id
where p.member_id > $1::uuid
order by p.member_id
limit $2;
