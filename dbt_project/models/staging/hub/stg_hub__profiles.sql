with

source as (
    select * from {{ source('hub', 'profiles') }}
),

renamed as (
    select
        profile_id,
        member_id,
        channel,
        account,
        registered_at,
        first_seen_at,
        changed_xid
    from source
)

select * from renamed
