with

source as (
    select * from {{ source('log', 'inbox') }}
),

renamed as (
    select
        event_key,
        entity_key,
        log_id,
        received_at,
        {{ business_date('received_at') }} as received_date,
        outcome,
        changed_xid
    from source
)

select * from renamed
