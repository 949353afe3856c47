with

profiles as (
    select * from {{ ref('stg_hub__profiles') }}
),

links as (
    select * from {{ ref('stg_hub__member_links') }}
),

identifiers as (
    select * from {{ ref('stg_hub__profile_identifiers') }}
),

final as (
    select
        profile_id,
        changed_xid
    from profiles
    union all
    select
        profile_id,
        changed_xid
    from links
    union all
    select
        profile_id,
        changed_xid
    from identifiers
)

select * from final
