select
    m.code,
    m.kind,
    m.template,
    i.channel,
    split_part(i.account, '-', 2)::int as household,
    m.status = 'redeemed' as is_used_up,
    m.uses_total,
    m.uses_redeemed,
    m.uses_left,
    m.live_redemption_count as live_count,
    m.reversed_redemption_count as reversed_count,
    m.refused_redemption_count as refused_count,
    m.redeemed_minor,
    extract(epoch from m.first_redeemed_at)::bigint as first_redeemed_s,
    extract(epoch from m.last_redeemed_at)::bigint as last_redeemed_s,
    extract(epoch from m.issued_at)::bigint as issued_s,
    extract(epoch from m.claimed_at)::bigint as claimed_s,
    extract(epoch from m.valid_from)::bigint as valid_from_s,
    extract(epoch from m.valid_until)::bigint as valid_until_s,
    m.order_number is not null as is_sold
from marts.coupons as m
left join marts.member_identities as i on m.profile_id = i.profile_id
where m.code ~ '^C[0-9]{2}-'
