with

source as (
    select * from {{ source('hub', 'order_settlements') }}
),

renamed as (
    select
        order_id,
        payment_id,
        amount_minor,
        fee_minor,
        commission_minor,
        subsidy_minor,
        changed_xid
    from source
)

select * from renamed
