with

channels as (
    select * from {{ ref('stg_hub__channels') }}
    {% if is_incremental() %}
    where {{ is_changed() }}
    {% endif %}
),

final as (
    select
        channel,
        name,
        kind,
        is_active
    from channels
)

select * from final
