with

orders as (
    select * from {{ ref('stg_hub__orders') }}
),

details as (
    select * from {{ ref('stg_hub__order_details') }}
),

bills as (
    select * from {{ ref('stg_hub__order_settlements') }}
),

-- Lateral, so that an increment looks up the bills of its own orders only.
billed as (
    select
        orders.order_id,
        orders.channel,
        orders.shop,
        orders.order_number,
        orders.is_sale,
        orders.currency,
        orders.placed_date,
        orders.total_minor - coalesce(details.tendered_minor, 0) as charged_minor,
        orders.paid_minor,
        orders.refunded_minor,
        billed.bill_count,
        billed.billed_minor,
        billed.fee_minor,
        billed.commission_minor,
        billed.subsidy_minor
    from orders
    left join details on orders.order_id = details.order_id
    left join lateral (
        select
            count(bills.payment_id)::int as bill_count,
            coalesce(sum(bills.amount_minor), 0)::bigint as billed_minor,
            coalesce(sum(bills.fee_minor), 0)::bigint as fee_minor,
            coalesce(sum(bills.commission_minor), 0)::bigint as commission_minor,
            coalesce(sum(bills.subsidy_minor), 0)::bigint as subsidy_minor
        from bills
        where bills.order_id = orders.order_id
    ) as billed on true
    where
        orders.paid_minor != 0
        or billed.bill_count > 0
),

final as (
    select
        order_id,
        channel,
        shop,
        order_number,
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
        billed_minor - fee_minor - commission_minor + subsidy_minor as payout_minor,
        paid_minor - charged_minor as payment_difference_minor,
        case when bill_count > 0 then billed_minor - paid_minor end as bill_difference_minor,
        case
            when bill_count = 0 then 'unbilled'
            when billed_minor > paid_minor then 'long'
            when billed_minor < paid_minor then 'short'
            else 'matched'
        end as status
    from billed
)

select * from final
