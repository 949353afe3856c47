with

source as (
    select * from {{ source('hub', 'member_links') }}
),

renamed as (
    select
        link_id,
        profile_id,
        member_id,
        valid_from,
        valid_to,
        reason,
        rule_version,
        changed_xid
    from source
)

select * from renamed
