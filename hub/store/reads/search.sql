-- name: shops
-- Every shop that was heard of.
select
    s.channel,
    s.shop
from hub.shops as s
order by s.channel, s.shop
limit 10000;

-- name: orders
-- The orders with ids $1.
select
    o.order_id,
    o.channel,
    o.shop,
    o.order_number,
    o.status
from hub.orders as o
where o.order_id = any($1::uuid [])
order by o.placed_at desc nulls last, o.order_id
limit 20;

-- name: coupons
-- The coupons with ids $1.
select
    c.coupon_id,
    c.code,
    c.status
from hub.coupons as c
where c.coupon_id = any($1::uuid [])
order by c.coupon_id
limit 20;

-- name: items
-- The items of one of these spellings.
select
    i.sku,
    i.name
from hub.items as i
where i.sku = any($1::text [])
order by i.sku
limit 20;

-- name: members_of_profiles
-- The members of profiles $1, and those with the same ids.
select
    p.member_id,
    true as is_verified
from hub.profiles as p
where p.profile_id = any($1::uuid []) or p.member_id = any($1::uuid [])
group by p.member_id
order by p.member_id
limit 20;

-- name: events
-- What the events with keys $1 are about, and what became of them.
select
    e.event_id,
    e.type,
    e.source,
    e.entity_kind,
    e.entity_key,
    i.outcome
from log.inbox as i
inner join log.events as e on i.entity_key = e.entity_key and i.log_id = e.log_id
where i.event_key = any($1::uuid [])
order by e.occurred_at desc, e.event_key
limit 20;
