with

source as (
    select * from {{ source('hub', 'coupon_redemptions') }}
),

renamed as (
    select
        coupon_id,
        redemption_id,
        channel,
        shop,
        place,
        profile_id,
        order_number,
        amount_minor,
        currency::text as currency,
        revenue_minor,
        redeemed_at,
        reversed_at,
        is_accepted,
        refusal,
        event_key,
        changed_xid
    from source
)

select * from renamed
