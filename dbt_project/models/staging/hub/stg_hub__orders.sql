with

source as (
    select * from {{ source('hub', 'orders') }}
),

renamed as (
    select
        order_id,
        channel,
        shop,
        order_number,
        profile_id,
        place,
        currency::text as currency,
        status,
        payment_status,
        fulfilment_status,
        return_status,
        gross_minor,
        discount_minor,
        total_minor,
        paid_minor,
        refunded_minor,
        placed_at,
        {{ business_date('placed_at') }} as placed_date,
        paid_at,
        fulfilled_at,
        completed_at,
        cancelled_at,
        is_sale,
        event_count,
        first_received_at,
        changed_xid
    from source
)

select * from renamed
