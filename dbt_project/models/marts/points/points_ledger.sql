with

entries as (
    select * from {{ ref('stg_hub__points_entries') }}
    {% if is_incremental() %}
    where {{ is_changed() }}
    {% endif %}
),

final as (
    select
        entry_id,
        profile_id,
        kind,
        points,
        lot_id,
        order_id,
        occurred_at,
        occurred_date,
        rule_version
    from entries
)

select * from final
