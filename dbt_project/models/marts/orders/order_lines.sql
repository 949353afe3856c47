-- depends_on: {{ ref('stg_hub__orders') }}
{{
    config(
        meta={'touched': 'stg_hub__orders', 'touched_by': 'order_id'},
    )
}}

with

placed_lines as (
    select * from {{ ref('int_order_lines_placed') }}
    {% if is_incremental() %}
    where {{ is_touched('order_id') }}
    {% endif %}
),

final as (
    select
        order_id,
        line,
        channel,
        profile_id,
        place,
        placed_at,
        placed_date,
        sku,
        quantity,
        fulfilled_quantity,
        returned_quantity,
        currency,
        unit_price_minor,
        gross_minor,
        discount_minor,
        total_minor,
        loyalty_discount_minor,
        coupon_discount_minor,
        coupon_match_discount_minor,
        promotion_discount_minor,
        manual_discount_minor,
        discounts
    from placed_lines
)

select * from final
