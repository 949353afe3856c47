with

source as (
    select * from {{ source('log', 'events') }}
),

renamed as (
    select
        event_key,
        entity_key,
        log_id,
        received_at,
        coalesce(nullif(split_part(source, '/', 3), ''), 'hub') as channel,
        type,
        occurred_at,
        {{ business_date('occurred_at') }} as occurred_date,
        produced_at
    from source
    where not {{ is_sandbox('source') }}
)

select * from renamed
