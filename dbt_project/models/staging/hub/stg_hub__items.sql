with

source as (
    select * from {{ source('hub', 'items') }}
),

renamed as (
    select
        sku,
        name,
        unit,
        category,
        brand,
        changed_xid
    from source
)

select * from renamed
