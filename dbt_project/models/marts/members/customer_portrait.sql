-- depends_on: {{ ref('int_portraits_touched') }}
{{
    config(
        meta={'touched': 'int_portraits_touched', 'touched_by': 'member_id'},
    )
}}

with

members as (
    select * from {{ ref('int_members_portrayed') }}
    {% if is_incremental() %}
    where {{ is_touched('member_id', ref('int_portraits_touched')) }}
    {% endif %}
),

final as (
    select
        member_id,
        first_order_date,
        last_order_date,
        order_count,
        currency,
        spent_minor,
        average_order_minor,
        days_between_orders,
        churn_risk_date,
        channels,
        channel_count,
        preferred_channel,
        preferred_category,
        coupon_order_count,
        coupon_order_share,
        tiers,
        points_balance,
        points_at_risk,
        next_expiry_date
    from members
)

select * from final
