with

source as (
    select * from {{ source('hub', 'stock_movements') }}
),

renamed as (
    select
        movement_id,
        sku,
        place,
        kind,
        {{ quantity('on_hand_milli') }} as on_hand_quantity,
        {{ quantity('committed_milli') }} as committed_quantity,
        {{ quantity('reserved_milli') }} as reserved_quantity,
        {{ quantity('unavailable_milli') }} as unavailable_quantity,
        occurred_at,
        {{ business_date('occurred_at') }} as occurred_date,
        order_id,
        event_key,
        changed_xid
    from source
)

select * from renamed
