select
    order_number::bigint as order_number,
    channel,
    shop::int as shop,
    is_sale,
    currency,
    placed_date,
    charged_minor,
    paid_minor,
    refunded_minor,
    bill_count,
    billed_minor,
    fee_minor,
    commission_minor,
    subsidy_minor,
    payout_minor,
    payment_difference_minor,
    bill_difference_minor is not null as is_bill_compared,
    status
from marts.settlements
where channel in ('website', 'miniprogram', 'store')
