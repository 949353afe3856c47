with

-- The conditions of one segment hold together. What time alone decides is told as a date.
final as (
    select
        conditions.segment,
        conditions.segment_zh,
        conditions.measure,
        conditions.minimum,
        conditions.maximum,
        conditions.is_from_churn_risk
    from (
        values
        ('new', '新客', 'order_count', 1.0, 1.0, false),
        ('regular', '常客', 'order_count', 2.0, null, false),
        ('regular', '常客', 'days_between_orders', null, 60.0, false),
        ('cross_channel', '跨渠道', 'channel_count', 2.0, null, false),
        ('coupon_lover', '用券偏好', 'order_count', 2.0, null, false),
        ('coupon_lover', '用券偏好', 'coupon_order_share', 0.5, null, false),
        ('points_at_risk', '积分将过期', 'points_at_risk', 1.0, null, false),
        ('leaving', '流失风险', 'order_count', 1.0, null, true)
    ) as conditions (segment, segment_zh, measure, minimum, maximum, is_from_churn_risk)
)

select * from final
