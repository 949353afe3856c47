select
    coalesce(o.order_number, '0')::bigint as order_number,
    m.sku::bigint as sku,
    m.place::int as place,
    m.kind,
    (m.on_hand_quantity * 1000)::bigint as on_hand_milli,
    (m.committed_quantity * 1000)::bigint as committed_milli,
    (m.reserved_quantity * 1000)::bigint as reserved_milli,
    (m.unavailable_quantity * 1000)::bigint as unavailable_milli,
    extract(epoch from m.occurred_at)::bigint as occurred_s,
    m.occurred_date
from marts.stock_movements as m
left join marts.orders as o on m.order_id = o.order_id
where m.place ~ '^[0-9]+$'
