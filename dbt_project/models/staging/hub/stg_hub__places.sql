with

source as (
    select * from {{ source('hub', 'places') }}
),

renamed as (
    select
        place,
        name,
        kind,
        changed_xid
    from source
)

select * from renamed
