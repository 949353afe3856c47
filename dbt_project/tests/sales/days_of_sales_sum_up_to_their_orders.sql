{{ config(meta={'dagster': {'ref': {'name': 'daily_sales'}}}) }}

with

orders as (
    select
        channel,
        currency,
        count(*) as order_count,
        sum(total_minor) as gmv_minor,
        sum(paid_minor) as paid_minor,
        sum(refunded_minor) as refunded_minor
    from {{ ref('orders') }}
    where
        is_sale
        and placed_at is not null
    group by channel, currency
),

days as (
    select
        channel,
        currency,
        sum(order_count) as order_count,
        sum(gmv_minor) as gmv_minor,
        sum(paid_minor) as paid_minor,
        sum(refunded_minor) as refunded_minor
    from {{ ref('daily_sales') }}
    group by channel, currency
)

select
    coalesce(orders.channel, days.channel) as channel,
    coalesce(orders.currency, days.currency) as currency
from orders
full join days on orders.channel = days.channel and orders.currency = days.currency
where
    coalesce(orders.order_count, 0) != coalesce(days.order_count, 0)
    or coalesce(orders.gmv_minor, 0) != coalesce(days.gmv_minor, 0)
    or coalesce(orders.paid_minor, 0) != coalesce(days.paid_minor, 0)
    or coalesce(orders.refunded_minor, 0) != coalesce(days.refunded_minor, 0)
