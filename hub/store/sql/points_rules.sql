-- The rule of points: versions that were published, and what they concern.

-- name: versions
select
    event_key,
    document,
    reason,
    valid_from
from configs
where
    kind = $1
    and name = $2
order by valid_from, published_at, event_key;

-- Writes that have read the versions end before, and none reads them until they are there.
-- name: fence
lock table configs in access exclusive mode;

-- name: orders_since
select
    o.channel,
    o.shop,
    o.order_number
from orders as o
where
    o.order_id in (
        select e.order_id
        from growth_entries as e
        where e.occurred_at >= $1
    )
order by o.order_id;

-- name: accounts_since
select profile_id
from points_accounts
where last_used_at >= $1
order by profile_id;

-- name: orders_after
select
    o.order_id,
    o.first_received_at,
    exists(
        select from order_children as c
        where c.parent_id = o.order_id
    ) as is_parent
from orders as o
where o.order_id > $1::uuid
order by o.order_id
limit $2;
