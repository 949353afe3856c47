-- depends_on: {{ ref('int_cases_touched') }}
{{
    config(
        meta={'touched': 'int_cases_touched', 'touched_by': 'case_id'},
    )
}}

with

cases as (
    select * from {{ ref('int_cases_handled') }}
    {% if is_incremental() %}
    where {{ is_touched('case_id') }}
    {% endif %}
),

final as (
    select
        case_id,
        kind,
        object_kind,
        object_key,
        state,
        opened_at,
        opened_date,
        closed_at,
        hours_to_close,
        step_count,
        settlement_count
    from cases
)

select * from final
