with

source as (
    select * from {{ source('hub', 'points_entries') }}
),

renamed as (
    select
        entry_id,
        profile_id,
        kind,
        points,
        lot_id,
        order_id,
        occurred_at,
        {{ business_date('occurred_at') }} as occurred_date,
        rule_version,
        event_key,
        changed_xid
    from source
)

select * from renamed
