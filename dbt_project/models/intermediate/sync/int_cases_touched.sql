with

cases as (
    select * from {{ ref('stg_hub__cases') }}
),

steps as (
    select * from {{ ref('stg_hub__case_steps') }}
),

final as (
    select
        case_id,
        changed_xid
    from cases
    union all
    select
        case_id,
        changed_xid
    from steps
)

select * from final
