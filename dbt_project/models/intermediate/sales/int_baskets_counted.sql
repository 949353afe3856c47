with

orders as (
    select * from {{ ref('stg_hub__orders') }}
),

order_lines as (
    select * from {{ ref('stg_hub__order_lines') }}
),

items as (
    select * from {{ ref('stg_hub__items') }}
),

baskets as (
    select
        date_trunc('month', orders.placed_date)::date as month_start_date,
        orders.order_id,
        array_agg(distinct items.category order by items.category) as categories
    from orders
    inner join order_lines on orders.order_id = order_lines.order_id
    inner join items on order_lines.sku = items.sku
    where
        orders.is_sale
        and orders.cancelled_at is null
        and orders.placed_date is not null
        and items.category is not null
    group by date_trunc('month', orders.placed_date)::date, orders.order_id
),

final as (
    select
        month_start_date,
        categories,
        count(order_id) as order_count
    from baskets
    group by month_start_date, categories
)

select * from final
