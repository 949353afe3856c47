with

coupons as (
    select * from {{ ref('stg_hub__coupons') }}
),

redemptions as (
    select * from {{ ref('stg_hub__coupon_redemptions') }}
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
    from redemptions
)

select * from final
