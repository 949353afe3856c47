-- depends_on: {{ ref('int_coupons_touched') }}
{{
    config(
        meta={'touched': 'int_coupons_touched', 'touched_by': 'coupon_id'},
    )
}}

with

coupons as (
    select * from {{ ref('int_coupons_redeemed') }}
    {% if is_incremental() %}
    where {{ is_touched('coupon_id') }}
    {% endif %}
),

final as (
    select
        coupon_id,
        code,
        kind,
        template,
        profile_id,
        status,
        uses_total,
        uses_redeemed,
        uses_left,
        live_redemption_count,
        reversed_redemption_count,
        refused_redemption_count,
        redeemed_minor,
        first_redeemed_at,
        last_redeemed_at,
        face_value_minor,
        currency,
        issued_at,
        claimed_at,
        valid_from,
        valid_until,
        order_number
    from coupons
)

select * from final
