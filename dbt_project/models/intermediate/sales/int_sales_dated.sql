with

orders as not materialized (
    select
        *,
        {{ business_date('coalesce(paid_at, placed_at)') }} as paid_date
    from {{ ref('stg_hub__orders') }}
    where is_sale
),

refunds as (
    select * from {{ ref('stg_hub__order_refunds') }}
),

vouchers as not materialized (
    select * from {{ ref('int_vouchers_valued') }}
),

sales as not materialized (
    select * from {{ ref('int_vouchers_sold') }}
),

redemptions as (
    select * from {{ ref('stg_hub__coupon_redemptions') }}
),

dated as (
    select
        placed_date as sales_date,
        channel,
        currency,
        'placed' as measure,
        total_minor as amount_minor,
        order_id,
        profile_id,
        changed_xid
    from orders
    union all
    select
        paid_date as sales_date,
        channel,
        currency,
        'paid' as measure,
        paid_minor as amount_minor,
        order_id,
        profile_id,
        changed_xid
    from orders
    where paid_minor != 0
    union all
    select
        refunds.ended_date as sales_date,
        orders.channel,
        orders.currency,
        'refunded' as measure,
        refunds.amount_minor,
        orders.order_id,
        orders.profile_id,
        greatest(orders.changed_xid, refunds.changed_xid) as changed_xid
    from refunds
    inner join orders on refunds.order_id = orders.order_id
    where
        refunds.kind = 'refund'
        and refunds.status = 'succeeded'
    union all
    -- What a voucher was sold for is in its order's payment, and no revenue yet.
    select
        vouchers.sold_date as sales_date,
        vouchers.channel,
        vouchers.currency,
        'voucher_sold' as measure,
        vouchers.sold_minor as amount_minor,
        sales.order_id,
        vouchers.profile_id,
        greatest(vouchers.changed_xid, sales.changed_xid) as changed_xid
    from vouchers
    inner join sales on vouchers.coupon_id = sales.coupon_id
    where sales.is_sale
    union all
    -- Money that went back was in the order's payment and is in its refund; what lapsed is revenue.
    select
        vouchers.ended_date as sales_date,
        vouchers.channel,
        vouchers.currency,
        'voucher_released' as measure,
        vouchers.lapsed_minor + vouchers.returned_minor as amount_minor,
        sales.order_id,
        vouchers.profile_id,
        greatest(vouchers.changed_xid, sales.changed_xid) as changed_xid
    from vouchers
    inner join sales on vouchers.coupon_id = sales.coupon_id
    where
        sales.is_sale
        and vouchers.lapsed_minor + vouchers.returned_minor != 0
    union all
    select
        {{ business_date('redemptions.redeemed_at') }} as sales_date,
        redemptions.channel,
        vouchers.currency,
        'voucher_earned' as measure,
        redemptions.revenue_minor as amount_minor,
        null::uuid as order_id,
        redemptions.profile_id,
        greatest(vouchers.changed_xid, redemptions.changed_xid) as changed_xid
    from vouchers
    inner join redemptions on vouchers.coupon_id = redemptions.coupon_id
    where redemptions.revenue_minor != 0
),

final as (
    select *
    from dated
    where
        sales_date is not null
        and currency is not null
)

select * from final
