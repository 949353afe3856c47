with

sales as (
    select * from {{ ref('int_sales_touched') }}
),

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
    select
        date_trunc('month', sales_date)::date as month_start_date,
        changed_xid
    from sales
    union all
    select
        date_trunc('month', orders.placed_date)::date as month_start_date,
        items.changed_xid
    from items
    inner join order_lines on items.sku = order_lines.sku
    inner join orders on order_lines.order_id = orders.order_id
)

select * from final
