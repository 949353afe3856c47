with

source as (
    select * from {{ source('hub', 'channels') }}
),

renamed as (
    select
        channel,
        name,
        kind,
        is_active,
        changed_xid
    from source
)

select * from renamed
