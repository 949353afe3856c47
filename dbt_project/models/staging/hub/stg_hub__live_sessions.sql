with

source as (
    select * from {{ source('hub', 'live_sessions') }}
),

renamed as (
    select
        channel,
        session as session_id,
        opened_at,
        closed_at,
        changed_xid
    from source
)

select * from renamed
