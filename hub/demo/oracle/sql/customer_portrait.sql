with

households as (
    select distinct
        member_id,
        split_part(account, '-', 2)::int as household
    from marts.member_identities
    where channel in ('website', 'miniprogram', 'store')
)

select
    h.household,
    m.first_order_date,
    m.last_order_date,
    m.order_count,
    m.currency,
    m.spent_minor,
    m.average_order_minor,
    (m.days_between_orders * 10)::int as days_between_tenths,
    m.churn_risk_date,
    array_to_string(m.channels, ',') as channels,
    m.channel_count,
    m.preferred_channel,
    m.preferred_category,
    m.coupon_order_count,
    (m.coupon_order_share * 10000)::int as coupon_share_1e4,
    m.points_balance,
    m.tiers,
    m.points_at_risk,
    m.next_expiry_date is not null as has_expiry
from households as h
inner join marts.customer_portrait as m on h.member_id = m.member_id
