with

places as (
    select * from {{ ref('stg_hub__places') }}
    {% if is_incremental() %}
    where {{ is_changed() }}
    {% endif %}
),

final as (
    select
        place,
        name,
        kind
    from places
)

select * from final
