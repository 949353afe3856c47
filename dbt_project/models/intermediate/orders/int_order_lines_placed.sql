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
        coalesce(discounted.loyalty_minor, 0) as loyalty_discount_minor,
        coalesce(discounted.coupon_minor, 0) as coupon_discount_minor,
        coalesce(discounted.coupon_match_minor, 0) as coupon_match_discount_minor,
        coalesce(discounted.promotion_minor, 0) as promotion_discount_minor,
        coalesce(discounted.manual_minor, 0) as manual_discount_minor,
        order_lines.discounts
    from order_lines
    inner join orders on order_lines.order_id = orders.order_id
    left join lateral (
        select
            {{ discount_minor('loyalty') }} as loyalty_minor,
            {{ discount_minor('coupon') }} as coupon_minor,
            {{ discount_minor('coupon_match') }} as coupon_match_minor,
            {{ discount_minor('promotion') }} as promotion_minor,
            {{ discount_minor('manual') }} as manual_minor
        from jsonb_array_elements(order_lines.discounts) as discount (entry)
    ) as discounted on true
)

select * from final
