with

sales as (
    select * from {{ ref('int_sales_of_profiles') }}
),

order_lines as (
    select * from {{ ref('stg_hub__order_lines') }}
),

redemptions as (
    select * from {{ ref('stg_hub__coupon_redemptions') }}
),

final as (
    select
        sales.profile_id,
        sales.order_id
    from sales
    inner join order_lines on sales.order_id = order_lines.order_id
    where
        order_lines.discounts @> '[["coupon"]]'::jsonb
        or order_lines.discounts @> '[["coupon_match"]]'::jsonb
    union all
    -- By the account too, by which an increment looks them up.
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
