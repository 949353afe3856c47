-- Orders and their lines.

-- Lock the orders that a write touches, in the order of their ids; when the first event of each
-- was received. An order that has parked events alone has no row yet.
-- name: lock
with locked as (
    select
        order_id,
        first_received_at
    from orders
    where order_id = any($1::uuid[])
    order by order_id
    for update
),

known as (
    select
        order_id,
        first_received_at
    from locked
    union all
    select
        order_id,
        first_received_at
    from reservations
    where order_id = any($1::uuid[])
    union all
    select
        entity_key as order_id,
        received_at as first_received_at
    from parked
    where entity_key = any($1::uuid[])
)

select
    order_id,
    min(first_received_at) as first_received_at
from known
group by order_id;

-- name: delete_lines
delete from order_lines
where order_id = any($1::uuid[]);

-- Reservations whose time is over.
-- name: overdue_reservations
select
    channel,
    shop,
    order_number
from reservations
where
    status = 'held'
    and expires_at <= $1
order by expires_at
limit $2;

-- Of these orders, once they are claimed.
-- name: still_overdue
select
    channel,
    shop,
    order_number
from reservations
where
    order_id = any($1::uuid[])
    and status = 'held'
    and expires_at <= $2;

-- name: reservation
select
    channel,
    shop,
    order_number
from reservations
where order_id = $1;
