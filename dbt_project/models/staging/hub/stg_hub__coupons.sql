with

source as (
    select * from {{ source('hub', 'coupons') }}
),

renamed as (
    select
        coupon_id,
        code,
        kind,
        template,
        channel,
        shop,
        profile_id,
        status,
        uses_total,
        uses_redeemed,
        face_value_minor,
        paid_minor,
        owed_minor,
        currency::text as currency,
        issued_at,
        claimed_at,
        ended_at,
        valid_from,
        valid_until,
        order_number,
        event_count,
        first_received_at,
        changed_xid
    from source
)

select * from renamed
