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

-- Lateral, so that an increment looks up the identifiers and links of its own profiles only.
final as (
    select
        profiles.profile_id,
        profiles.member_id,
        profiles.channel,
        profiles.account,
        profiles.registered_at,
        profiles.first_seen_at,
        coalesce(held.verified_types, array[]::text[]) as verified_identifier_types,
        coalesce(held.verified_count, 0) as verified_identifier_count,
        coalesce(held.declared_count, 0) as declared_identifier_count,
        coalesce(linked.linked_at, profiles.first_seen_at) as linked_at,
        linked.reason as link_reason,
        linked.rule_version as link_rule_version
    from profiles
    left join lateral (
        select
            array_agg(
                distinct identifiers.identifier_type order by identifiers.identifier_type
            ) filter (where identifiers.proof = 'verified') as verified_types,
            count(*) filter (where identifiers.proof = 'verified')::int as verified_count,
            count(*) filter (where identifiers.proof = 'declared')::int as declared_count
        from identifiers
        where
            identifiers.profile_id = profiles.profile_id
            and identifiers.valid_to is null
    ) as held on true
    left join lateral (
        select
            links.valid_from as linked_at,
            links.reason,
            links.rule_version
        from links
        where
            links.profile_id = profiles.profile_id
            and links.member_id = profiles.member_id
            and links.valid_to is null
        order by links.valid_from desc, links.link_id desc
        limit 1
    ) as linked on true
)

select * from final
