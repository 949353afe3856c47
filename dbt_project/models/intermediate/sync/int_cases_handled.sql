with

cases as (
    select * from {{ ref('stg_hub__cases') }}
),

steps as (
    select * from {{ ref('stg_hub__case_steps') }}
),

final as (
    select
        cases.case_id,
        cases.kind,
        cases.object_kind,
        cases.object_key,
        cases.state,
        cases.opened_at,
        cases.opened_date,
        cases.closed_at,
        (extract(epoch from cases.closed_at - cases.opened_at) / 3600)::numeric(12, 3)
            as hours_to_close,
        handled.step_count,
        handled.settlement_count
    from cases
    left join lateral (
        select
            count(steps.event_key)::int as step_count,
            count(*) filter (where steps.type = 'case.settled')::int as settlement_count
        from steps
        where steps.case_id = cases.case_id
    ) as handled on true
)

select * from final
