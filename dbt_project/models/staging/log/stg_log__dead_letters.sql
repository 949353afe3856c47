with

source as (
    select * from {{ source('log', 'dead_letters') }}
),

renamed as (
    select
        dead_letter_id,
        {{ business_date('received_at') }} as received_date,
        coalesce(nullif(split_part(source, '/', 3), ''), 'unknown') as channel,
        coalesce(type, 'unknown') as type,
        state,
        changed_xid
    from source
    where not {{ is_sandbox('source') }}
)

select * from renamed
