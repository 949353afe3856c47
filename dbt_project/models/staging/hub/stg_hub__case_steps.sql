with

source as (
    select * from {{ source('hub', 'case_steps') }}
),

renamed as (
    select
        event_key,
        case_id,
        type,
        made_at,
        changed_xid
    from source
)

select * from renamed
