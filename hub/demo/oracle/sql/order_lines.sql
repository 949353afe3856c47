select
    o.order_number::bigint as order_number,
    m.line::int as line,
    m.channel,
    split_part(i.account, '-', 2)::int as household,
    m.place::int as place,
    extract(epoch from m.placed_at)::bigint as placed_s,
    m.placed_date,
    m.sku::bigint as sku,
    (m.quantity * 1000)::bigint as milli,
    (m.fulfilled_quantity * 1000)::bigint as fulfilled_milli,
    (m.returned_quantity * 1000)::bigint as returned_milli,
    m.currency,
    m.unit_price_minor,
    m.gross_minor,
    m.discount_minor,
    m.total_minor,
    m.loyalty_discount_minor,
    m.coupon_discount_minor,
    m.coupon_match_discount_minor,
    m.promotion_discount_minor,
    m.manual_discount_minor,
    coalesce(jsonb_array_length(m.discounts), 0) as discount_count
from marts.order_lines as m
inner join marts.orders as o on m.order_id = o.order_id
left join marts.member_identities as i on i.profile_id = m.profile_id
where m.channel in ('website', 'miniprogram', 'store')
