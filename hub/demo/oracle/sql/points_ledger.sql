select
    o.order_number::bigint as order_number,
    i.channel,
    split_part(i.account, '-', 2)::int as household,
    m.kind,
    m.points,
    extract(epoch from m.occurred_at)::bigint as occurred_s,
    m.occurred_date,
    m.rule_version
from marts.points_ledger as m
inner join marts.member_identities as i on m.profile_id = i.profile_id
left join marts.orders as o on m.order_id = o.order_id
where i.channel in ('website', 'miniprogram', 'store')
