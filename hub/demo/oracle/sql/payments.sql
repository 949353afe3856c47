select
    m.order_number::bigint as order_number,
    m.kind,
    m.part,
    m.channel,
    m.shop::int as shop,
    split_part(i.account, '-', 2)::int as household,
    m.is_sale,
    m.status,
    m.currency,
    m.amount_minor,
    m.points,
    extract(epoch from m.made_at)::bigint as made_s,
    m.made_date
from marts.payments as m
left join marts.member_identities as i on i.profile_id = m.profile_id
where m.channel in ('website', 'miniprogram', 'store')
