with

positions as (
    select * from {{ ref('stg_hub__stock_positions') }}
    {% if is_incremental() %}
    where {{ is_changed() }}
    {% endif %}
),

final as (
    select
        sku,
        place,
        on_hand_quantity,
        committed_quantity,
        reserved_quantity,
        unavailable_quantity,
        available_quantity,
        counted_at,
        version
    from positions
)

select * from final
