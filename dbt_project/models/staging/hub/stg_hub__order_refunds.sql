with

source as (
    select * from {{ source('hub', 'order_refunds') }}
),

renamed as (
    select
        order_id,
        refund_id,
        kind,
        status,
        amount_minor,
        points,
        asked_at,
        ended_at,
        {{ business_date('ended_at') }} as ended_date,
        changed_xid
    from source
)

select * from renamed
