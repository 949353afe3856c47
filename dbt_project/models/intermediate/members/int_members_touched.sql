with

members as (
    select * from {{ ref('stg_hub__members') }}
),

profiles as not materialized (
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
        member_id,
        changed_xid
    from members
    union all
    select
        member_id,
        changed_xid
    from profiles
    union all
    -- A closed link names the member whom the profile has left.
    select
        member_id,
        changed_xid
    from links
    union all
    select
        profiles.member_id,
        identifiers.changed_xid
    from identifiers
    inner join profiles on identifiers.profile_id = profiles.profile_id
)

select * from final
