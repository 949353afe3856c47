with

lines as (
    select order_id, count(*) as lines from marts.order_lines group by order_id
)

select
    m.order_number::bigint as order_number,
    m.channel,
    m.shop::int as shop,
    split_part(i.account, '-', 2)::int as household,
    m.place::int as place,
    m.currency,
    m.status,
    m.payment_status,
    m.fulfilment_status,
    m.return_status,
    lines.lines,
    m.gross_minor,
    m.discount_minor,
    m.total_minor,
    m.paid_minor,
    m.refunded_minor,
    m.net_paid_minor,
    extract(epoch from m.placed_at)::bigint as placed_s,
    m.placed_date,
    extract(epoch from m.paid_at)::bigint as paid_s,
    extract(epoch from m.fulfilled_at)::bigint as fulfilled_s,
    extract(epoch from m.completed_at)::bigint as completed_s,
    m.cancelled_at is not null as is_cancelled,
    m.is_sale,
    m.event_count
from marts.orders as m
left join lines on m.order_id = lines.order_id
left join marts.member_identities as i on i.profile_id = m.profile_id
where m.channel in ('website', 'miniprogram', 'store')
