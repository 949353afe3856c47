with

source as (
    select * from {{ source('hub', 'growth_entries') }}
),

renamed as (
    select
        entry_id,
        profile_id,
        changed_xid
    from source
)

select * from renamed
