{{ config(meta={'dagster': {'ref': {'name': 'payments'}}}) }}

with

orders as (
    select * from {{ ref('orders') }}
    where {{ is_of_changed('order_id', ['orders', 'payments']) }}
),

payments as (
    select
        order_id,
        coalesce(sum(amount_minor) filter (where kind = 'money'), 0) as paid_minor,
        coalesce(
            -sum(amount_minor) filter (where kind = 'refund' and status = 'succeeded'), 0
        ) as refunded_minor
    from {{ ref('payments') }}
    where {{ is_of_changed('order_id', ['orders', 'payments']) }}
    group by order_id
)

select orders.order_id
from orders
left join payments on orders.order_id = payments.order_id
where
    orders.paid_minor != coalesce(payments.paid_minor, 0)
    or orders.refunded_minor != coalesce(payments.refunded_minor, 0)
