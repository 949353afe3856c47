with

links as (
    select * from {{ ref('stg_hub__member_links') }}
    {% if is_incremental() %}
    where {{ is_changed() }}
    {% endif %}
),

final as (
    select
        link_id,
        profile_id,
        member_id,
        valid_from,
        valid_to,
        valid_to is null as is_current,
        reason,
        rule_version
    from links
)

select * from final
