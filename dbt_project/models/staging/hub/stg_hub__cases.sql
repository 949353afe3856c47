with

source as (
    select * from {{ source('hub', 'cases') }}
),

renamed as (
    select
        case_id,
        kind,
        object_kind,
        object_key,
        state,
        opened_at,
        {{ business_date('opened_at') }} as opened_date,
        closed_at,
        changed_xid
    from source
)

select * from renamed
