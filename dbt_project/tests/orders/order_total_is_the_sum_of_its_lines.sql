{{ config(meta={'dagster': {'ref': {'name': 'orders'}}}) }}

with

orders as (
    select * from {{ ref('orders') }}
    where {{ is_of_changed('order_id', ['orders', 'order_lines']) }}
),

order_lines as (
    select
        order_id,
        sum(gross_minor) as gross_minor,
        sum(discount_minor) as discount_minor,
        sum(total_minor) as total_minor
    from {{ ref('order_lines') }}
    where {{ is_of_changed('order_id', ['orders', 'order_lines']) }}
    group by order_id
)

select orders.order_id
from orders
left join order_lines on orders.order_id = order_lines.order_id
where
    orders.gross_minor != coalesce(order_lines.gross_minor, 0)
    or orders.discount_minor != coalesce(order_lines.discount_minor, 0)
    or orders.total_minor != coalesce(order_lines.total_minor, 0)
