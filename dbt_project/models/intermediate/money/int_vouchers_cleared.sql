with

vouchers as (
    select * from {{ ref('int_vouchers_valued') }}
),

sales as (
    select * from {{ ref('int_vouchers_sold') }}
),

redemptions as (
    select * from {{ ref('stg_hub__coupon_redemptions') }}
),

final as (
    select
        redemptions.coupon_id,
        redemptions.channel,
        redemptions.shop,
        redemptions.redemption_id,
        redemptions.place,
        vouchers.channel as sold_channel,
        vouchers.shop as sold_shop,
        sales.place as sold_place,
        vouchers.order_number as sold_order_number,
        vouchers.currency,
        redemptions.revenue_minor as cleared_minor,
        redemptions.redeemed_at,
        {{ business_date('redemptions.redeemed_at') }} as redeemed_date
    from vouchers
    inner join redemptions on vouchers.coupon_id = redemptions.coupon_id
    left join sales on vouchers.coupon_id = sales.coupon_id
    where
        redemptions.revenue_minor != 0
        and (
            redemptions.channel != vouchers.channel
            or redemptions.shop != vouchers.shop
            or redemptions.place != sales.place
        )
)

select * from final
