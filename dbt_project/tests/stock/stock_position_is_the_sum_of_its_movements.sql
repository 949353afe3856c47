{{ config(meta={'dagster': {'ref': {'name': 'stock_positions'}}}) }}

with

positions as (
    select * from {{ ref('stock_positions') }}
    where {{ is_of_changed('sku, place', ['stock_positions', 'stock_movements']) }}
),

movements as (
    select
        sku,
        place,
        sum(on_hand_quantity) as on_hand_quantity,
        sum(committed_quantity) as committed_quantity,
        sum(reserved_quantity) as reserved_quantity,
        sum(unavailable_quantity) as unavailable_quantity
    from {{ ref('stock_movements') }}
    where {{ is_of_changed('sku, place', ['stock_positions', 'stock_movements']) }}
    group by sku, place
)

select
    coalesce(positions.sku, movements.sku) as sku,
    coalesce(positions.place, movements.place) as place
from positions
full join movements
    on positions.sku = movements.sku and positions.place = movements.place
where
    coalesce(movements.on_hand_quantity, 0) is distinct from positions.on_hand_quantity
    or coalesce(movements.committed_quantity, 0) is distinct from positions.committed_quantity
    or coalesce(movements.reserved_quantity, 0) is distinct from positions.reserved_quantity
    or coalesce(movements.unavailable_quantity, 0) is distinct from positions.unavailable_quantity
