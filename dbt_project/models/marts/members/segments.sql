{{
    config(
        meta={'touched': {'customer_portrait': 'member_id'}, 'touched_by': 'member_id'},
    )
}}

with

members as (
    select * from {{ ref('customer_portrait') }}
    {% if is_incremental() %}
    where {{ is_touched('member_id') }}
    {% endif %}
),

conditions as (
    select * from {{ ref('int_segments_listed') }}
),

measured as (
    select
        members.member_id,
        members.churn_risk_date,
        measures.measure,
        measures.amount
    from members
    cross join lateral (
        values
        ('order_count', members.order_count::numeric),
        ('days_between_orders', members.days_between_orders),
        ('channel_count', members.channel_count::numeric),
        ('coupon_order_share', members.coupon_order_share),
        ('points_at_risk', members.points_at_risk::numeric)
    ) as measures (measure, amount)
),

matched as (
    select
        measured.member_id,
        conditions.segment,
        conditions.segment_zh,
        count(*) as condition_count,
        max(measured.churn_risk_date) filter (where conditions.is_from_churn_risk)
            as holds_from_date
    from measured
    inner join conditions on measured.measure = conditions.measure
    where
        measured.amount >= coalesce(conditions.minimum, measured.amount)
        and measured.amount <= coalesce(conditions.maximum, measured.amount)
    group by measured.member_id, conditions.segment, conditions.segment_zh
),

wanted as (
    select
        segment,
        count(*) as condition_count
    from conditions
    group by segment
),

final as (
    select
        matched.member_id,
        matched.segment,
        matched.segment_zh,
        matched.holds_from_date
    from matched
    inner join wanted
        on
            matched.segment = wanted.segment
            and matched.condition_count = wanted.condition_count
)

select * from final
