with

source as (
    select * from {{ source('hub', 'members') }}
),

renamed as (
    select
        member_id,
        merged_into as merged_into_member_id,
        first_seen_at,
        changed_xid
    from source
)

select * from renamed
