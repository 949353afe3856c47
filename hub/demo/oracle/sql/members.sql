with

households as (
    select
        member_id,
        min(split_part(account, '-', 2)::int) as household,
        count(distinct split_part(account, '-', 2)) as household_count
    from marts.member_identities
    where channel in ('website', 'miniprogram', 'store')
    group by member_id
)

select
    h.household,
    h.household_count,
    m.profile_count,
    m.channel_count,
    array_to_string(m.channels, ',') as channels,
    m.verified_identifier_count as verified_count,
    extract(epoch from m.registered_at)::bigint as registered_s,
    extract(epoch from m.first_seen_at)::bigint as first_seen_s,
    m.first_seen_date
from households as h
inner join marts.members as m on h.member_id = m.member_id
