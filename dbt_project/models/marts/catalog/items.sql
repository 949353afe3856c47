with

items as (
    select * from {{ ref('stg_hub__items') }}
    {% if is_incremental() %}
    where {{ is_changed() }}
    {% endif %}
),

final as (
    select
        sku,
        name,
        unit,
        category,
        brand
    from items
)

select * from final
