with

sessions as (
    select * from {{ ref('stg_hub__live_sessions') }}
),

orders as (
    select * from {{ ref('int_session_orders_named') }}
),

bills as (
    select
        order_id,
        sum(fee_minor)::bigint as fee_minor,
        sum(commission_minor)::bigint as commission_minor,
        sum(subsidy_minor)::bigint as subsidy_minor
    from {{ ref('stg_hub__order_settlements') }}
    group by order_id
),

redeemed as (
    select
        sales.order_id,
        sum(vouchers.sold_minor)::bigint as voucher_sold_minor,
        sum(vouchers.earned_minor)::bigint as voucher_redeemed_minor
    from {{ ref('int_vouchers_sold') }} as sales
    inner join {{ ref('int_vouchers_valued') }} as vouchers on sales.coupon_id = vouchers.coupon_id
    where sales.session_id is not null
    group by sales.order_id
),

sold as (
    select
        orders.channel,
        orders.session_id,
        orders.currency,
        array_agg(distinct orders.anchor order by orders.anchor) filter (
            where orders.anchor is not null
        ) as anchors,
        count(orders.order_id)::int as order_count,
        sum(orders.paid_minor)::bigint as paid_minor,
        sum(orders.refunded_minor)::bigint as refunded_minor,
        coalesce(sum(redeemed.voucher_sold_minor), 0)::bigint as voucher_sold_minor,
        coalesce(sum(redeemed.voucher_redeemed_minor), 0)::bigint as voucher_redeemed_minor,
        coalesce(sum(bills.fee_minor), 0)::bigint as fee_minor,
        coalesce(sum(bills.commission_minor), 0)::bigint as commission_minor,
        coalesce(sum(bills.subsidy_minor), 0)::bigint as subsidy_minor
    from orders
    left join bills on orders.order_id = bills.order_id
    left join redeemed on orders.order_id = redeemed.order_id
    group by orders.channel, orders.session_id, orders.currency
),

-- XXX is ISO 4217's code for no currency.
final as (
    select
        coalesce(sold.channel, sessions.channel) as channel,
        coalesce(sold.session_id, sessions.session_id) as session_id,
        coalesce(sold.currency, 'XXX') as currency,
        coalesce(sold.anchors, array[]::text[]) as anchors,
        sessions.opened_at,
        sessions.closed_at,
        coalesce(sold.order_count, 0) as order_count,
        coalesce(sold.paid_minor, 0) as paid_minor,
        coalesce(sold.refunded_minor, 0) as refunded_minor,
        coalesce(sold.voucher_sold_minor, 0) as voucher_sold_minor,
        coalesce(sold.voucher_redeemed_minor, 0) as voucher_redeemed_minor,
        coalesce(sold.fee_minor, 0) as fee_minor,
        coalesce(sold.commission_minor, 0) as commission_minor,
        coalesce(sold.subsidy_minor, 0) as subsidy_minor,
        coalesce(
            sold.paid_minor
            - sold.refunded_minor
            - sold.fee_minor
            - sold.commission_minor
            + sold.subsidy_minor,
            0
        ) as net_minor
    from sessions
    full join sold
        on sessions.channel = sold.channel and sessions.session_id = sold.session_id
)

select * from final
