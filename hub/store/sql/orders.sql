-- Orders and their lines.

-- Lock the orders that a write touches, in the order of their ids.
-- name: lock
select
    order_id,
    first_received_at
from orders
where order_id = any($1::uuid[])
order by order_id
for update;

-- name: delete_lines
delete from order_lines
where order_id = any($1::uuid[]);
