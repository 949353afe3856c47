with

sales as (
    select * from {{ ref('int_sales_of_profiles') }}
),

redemptions as (
    select * from {{ ref('stg_hub__coupon_redemptions') }}
),

-- By the account too, by which an increment looks them up.
final as (
    select
        redemptions.profile_id,
        sales.order_id
    from redemptions
    inner join sales
        on
            redemptions.profile_id = sales.profile_id
            and redemptions.channel = sales.channel
            and redemptions.shop = sales.shop
            and redemptions.order_number = sales.order_number
    where
        redemptions.is_accepted
        and redemptions.reversed_at is null
)

select * from final
