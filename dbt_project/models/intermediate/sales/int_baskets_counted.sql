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

final as (
    select distinct
        date_trunc('month', orders.placed_date)::date as month_start_date,
        orders.order_id,
        items.category
    from orders
    inner join order_lines on orders.order_id = order_lines.order_id
    inner join items on order_lines.sku = items.sku
    where
        orders.is_sale
        and orders.cancelled_at is null
        and orders.placed_date is not null
        and items.category is not null
)

select * from final
