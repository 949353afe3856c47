with

movements as (
    select * from {{ ref('stg_hub__stock_movements') }}
    {% if is_incremental() %}
    where {{ is_changed() }}
    {% endif %}
),

final as (
    select
        movement_id,
        sku,
        place,
        kind,
        on_hand_quantity,
        committed_quantity,
        reserved_quantity,
        unavailable_quantity,
        occurred_at,
        occurred_date,
        order_id
    from movements
)

select * from final
