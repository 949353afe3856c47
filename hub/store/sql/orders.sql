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
        first_received_at,
        false as is_parent
    from locked
    union all
    select
        order_id,
        first_received_at,
        false
    from reservations
    where order_id = any($1::uuid[])
    union all
    select
        entity_key,
        received_at,
        false
    from parked
    where entity_key = any($1::uuid[])
    union all
    select
        parent_id,
        null,
        true
    from order_children
    where parent_id = any($1::uuid[])
)

-- first_received_at is null for an order that only its children know of.
select
    order_id,
    min(first_received_at) as first_received_at,
    bool_or(is_parent) as is_parent
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

-- name: name
select
    channel,
    shop,
    order_number
from orders
where order_id = $1;

-- What decides whether order $1 may be handed over.
-- name: to_hand_over
select
    place,
    status,
    payment_status,
    fulfilment_status
from orders
where order_id = $1;

-- Open orders with a deposit whose balance should have been paid by now.
-- name: balance_overdue
select
    o.channel,
    o.shop,
    o.order_number
from order_details as d
inner join orders as o on d.order_id = o.order_id
where
    d.balance_due_at < $1
    and o.status = 'open'
    and o.fulfilled_at is null
    and o.payment_status in ('unpaid', 'partially_paid')
order by d.balance_due_at
limit $2;

-- name: still_unpaid
select o.order_id
from order_details as d
inner join orders as o on d.order_id = o.order_id
where
    o.order_id = any($1::uuid[])
    and d.balance_due_at < $2
    and o.status = 'open'
    and o.fulfilled_at is null
    and o.payment_status in ('unpaid', 'partially_paid');
