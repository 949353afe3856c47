with

inbox as (
    select * from {{ ref('stg_log__inbox') }}
),

dead_letters as (
    select * from {{ ref('stg_log__dead_letters') }}
),

final as (
    select
        received_date,
        changed_xid
    from inbox
    union all
    select
        received_date,
        changed_xid
    from dead_letters
)

select * from final
