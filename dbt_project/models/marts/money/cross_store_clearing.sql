-- depends_on: {{ ref('int_vouchers_touched') }}
{{
    config(
        meta={'touched': 'int_vouchers_touched', 'touched_by': 'coupon_id'},
    )
}}

with

redemptions as (
    select * from {{ ref('int_vouchers_cleared') }}
    {% if is_incremental() %}
    where {{ is_touched('coupon_id') }}
    {% endif %}
),

final as (
    select
        coupon_id,
        channel,
        shop,
        redemption_id,
        place,
        sold_channel,
        sold_shop,
        sold_place,
        sold_order_number,
        currency,
        cleared_minor,
        redeemed_at,
        redeemed_date
    from redemptions
)

select * from final
