-- depends_on: {{ ref('int_portraits_touched') }}
{{
    config(
        meta={'touched': 'int_portraits_touched', 'touched_by': 'member_id'},
    )
}}

with

members as (
    select * from {{ ref('int_members_segmented') }}
    {% if is_incremental() %}
    where {{ is_touched('member_id', ref('int_portraits_touched')) }}
    {% endif %}
),

final as (
    select
        member_id,
        segment,
        segment_zh,
        holds_from_date
    from members
)

select * from final
