with

source as (
    select * from {{ source('hub', 'member_tiers') }}
),

renamed as (
    select
        member_id,
        scheme,
        level,
        changed_xid
    from source
)

select * from renamed
