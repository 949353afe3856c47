select
    sales_date as day,
    channel,
    order_count,
    member_count,
    (unit_quantity * 1000)::bigint as unit_milli,
    gmv_minor,
    paid_minor,
    refunded_minor,
    voucher_sold_minor,
    voucher_earned_minor,
    voucher_released_minor,
    net_sales_minor
from marts.daily_sales
where
    currency = 'USD'
    and channel in ('website', 'miniprogram', 'store')
