with

members as (
    select * from {{ ref('stg_hub__members') }}
),

profiles as (
    select * from {{ ref('int_profiles_linked') }}
),

-- Lateral, so that an increment looks up the profiles of its own members only.
final as (
    select
        members.member_id,
        united.profile_count,
        united.channel_count,
        united.channels,
        united.verified_identifier_count,
        united.registered_at,
        united.first_seen_at,
        {{ business_date('united.first_seen_at') }} as first_seen_date
    from members
    left join lateral (
        select
            count(*)::int as profile_count,
            count(distinct profiles.channel)::int as channel_count,
            array_agg(distinct profiles.channel order by profiles.channel) as channels,
            sum(profiles.verified_identifier_count)::int as verified_identifier_count,
            min(profiles.registered_at) as registered_at,
            min(profiles.first_seen_at) as first_seen_at
        from profiles
        where profiles.member_id = members.member_id
    ) as united on true
    where
        members.merged_into_member_id is null
        and united.profile_count > 0
)

select * from final
