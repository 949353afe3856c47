-- name: get
-- Orders by their ids, where the viewer may see them: those of its channel, and for one who sees
-- members whole also those of members with a profile in its channel.
select
    o.order_id,
    o.channel,
    o.shop,
    o.order_number,
    p.member_id,
    o.place,
    o.currency,
    o.status,
    o.payment_status,
    o.fulfilment_status,
    o.return_status,
    o.gross_minor,
    o.discount_minor,
    o.total_minor,
    o.paid_minor,
    o.refunded_minor,
    o.placed_at,
    o.paid_at,
    o.fulfilled_at,
    o.completed_at,
    o.cancelled_at
from hub.orders as o
left join hub.profiles as p on o.profile_id = p.profile_id
where
    o.order_id = any($3::uuid [])
    and (
        $1::text is null
        or o.channel = $1
        or (
            $2::boolean
            and exists (
                select 1 from hub.profiles as own
                where own.member_id = p.member_id and own.channel = $1
            )
        )
    )
order by o.shop, o.order_id
limit $4;

-- name: lines
-- The lines of order $1, in the order of their names.
select
    l.line,
    l.sku,
    i.name,
    l.quantity_milli,
    l.fulfilled_milli,
    l.returned_milli,
    l.unit_price_minor,
    l.gross_minor,
    l.discount_minor,
    l.total_minor
from hub.order_lines as l
left join hub.items as i on l.sku = i.sku
where l.order_id = $1
order by length(l.line), l.line
limit 10000;

-- name: shops
-- The shops of channel $1.
select s.shop
from hub.shops as s
where s.channel = $1
order by s.shop
limit 10000;

-- name: of_profiles
-- The orders of profiles $1, newest first. An order seen before it was placed counts from its
-- first event.
select
    o.order_id,
    o.channel,
    o.shop,
    o.order_number,
    o.place,
    o.currency,
    o.status,
    o.payment_status,
    o.fulfilment_status,
    o.return_status,
    o.gross_minor,
    o.discount_minor,
    o.total_minor,
    o.paid_minor,
    o.refunded_minor,
    o.placed_at,
    o.paid_at,
    o.fulfilled_at,
    o.completed_at,
    o.cancelled_at,
    coalesce(o.placed_at, o.first_received_at) as listed_at
from hub.orders as o
where
    o.profile_id = any($1::uuid [])
    and (
        $2::timestamptz is null
        or (coalesce(o.placed_at, o.first_received_at), o.order_id) < ($2, $3::uuid)
    )
order by listed_at desc, o.order_id desc
limit $4;
