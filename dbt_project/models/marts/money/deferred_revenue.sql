-- depends_on: {{ ref('int_coupons_touched') }}
{{
    config(
        meta={'touched': 'int_coupons_touched', 'touched_by': 'coupon_id'},
    )
}}

with

vouchers as (
    select * from {{ ref('int_vouchers_valued') }}
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
        channel,
        shop,
        order_number,
        profile_id,
        status,
        currency,
        sold_minor,
        owed_minor,
        earned_minor,
        lapsed_minor,
        returned_minor,
        sold_at,
        sold_date,
        valid_until,
        last_earned_at,
        ended_at
    from vouchers
)

select * from final
