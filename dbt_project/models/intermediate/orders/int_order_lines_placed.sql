with

orders as (
    select * from {{ ref('stg_hub__orders') }}
),

order_lines as (
    select * from {{ ref('stg_hub__order_lines') }}
),

final as (
    select
        order_lines.order_id,
        order_lines.line,
        orders.channel,
        orders.profile_id,
        orders.place,
        orders.placed_at,
        orders.placed_date,
        order_lines.sku,
        order_lines.quantity,
        order_lines.fulfilled_quantity,
        order_lines.returned_quantity,
        orders.currency,
        order_lines.unit_price_minor,
        order_lines.gross_minor,
        order_lines.discount_minor,
        order_lines.total_minor,
        order_lines.discounts
    from order_lines
    inner join orders on order_lines.order_id = orders.order_id
)

select * from final
