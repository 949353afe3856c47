with

source as (
    select * from {{ source('hub', 'order_details') }}
),

renamed as (
    select
        order_id,
        parent_id,
        origin_id,
        tenders,
        tendered_minor,
        forfeited_minor,
        compensated_minor,
        session_id,
        anchor,
        changed_xid
    from source
)

select * from renamed
