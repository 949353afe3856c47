select
    i.channel,
    i.account,
    split_part(i.account, '-', 2)::int as household,
    array_to_string(i.verified_identifier_types, ',') as verified_types,
    i.verified_identifier_count as verified_count,
    i.declared_identifier_count as declared_count,
    extract(epoch from i.registered_at)::bigint as registered_s,
    extract(epoch from i.first_seen_at)::bigint as first_seen_s
from marts.member_identities as i
where i.channel in ('website', 'miniprogram', 'store')
