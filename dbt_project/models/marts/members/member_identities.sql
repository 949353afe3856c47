-- depends_on: {{ ref('int_profiles_touched') }}
{{
    config(
        meta={'touched': 'int_profiles_touched', 'touched_by': 'profile_id'},
    )
}}

with

profiles as (
    select * from {{ ref('int_profiles_linked') }}
    {% if is_incremental() %}
    where {{ is_touched('profile_id') }}
    {% endif %}
),

final as (
    select
        profile_id,
        member_id,
        channel,
        account,
        verified_identifier_types,
        verified_identifier_count,
        declared_identifier_count,
        linked_at,
        link_reason,
        link_rule_version,
        registered_at,
        first_seen_at
    from profiles
)

select * from final
