with

source as (
    select * from {{ source('hub', 'stock_positions') }}
),

renamed as (
    select
        sku,
        place,
        {{ quantity('on_hand_milli') }} as on_hand_quantity,
        {{ quantity('committed_milli') }} as committed_quantity,
        {{ quantity('reserved_milli') }} as reserved_quantity,
        {{ quantity('unavailable_milli') }} as unavailable_quantity,
        {{ quantity('on_hand_milli - committed_milli - reserved_milli - unavailable_milli') }}
            as available_quantity,
        counted_at,
        version,
        changed_xid
    from source
)

select * from renamed
