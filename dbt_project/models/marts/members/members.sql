-- depends_on: {{ ref('int_members_touched') }}
{{
    config(
        meta={'touched': 'int_members_touched', 'touched_by': 'member_id'},
    )
}}

with

members as (
    select * from {{ ref('int_members_united') }}
    {% if is_incremental() %}
    where {{ is_touched('member_id') }}
    {% endif %}
),

final as (
    select
        member_id,
        profile_count,
        channel_count,
        channels,
        verified_identifier_count,
        registered_at,
        first_seen_at,
        first_seen_date
    from members
)

select * from final
