with

coupons as (
    select * from {{ ref('int_coupons_touched') }}
),

sales as (
    select * from {{ ref('int_vouchers_sold') }}
),

final as (
    select
        coupon_id,
        changed_xid
    from coupons
    union all
    select
        coupon_id,
        changed_xid
    from sales
)

select * from final
