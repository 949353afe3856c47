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

-- name: waiting_at
-- Paid orders that wait at place $1 for who picks them up, placed after $2: those with a slot by
-- its time, the others by their placing; after the keyset ($3, $4).
with waiting as (
    select
        o.order_id,
        o.channel,
        o.order_number,
        o.place,
        o.status,
        o.fulfilment_status,
        o.payment_status,
        o.placed_at,
        d.slot_from,
        d.slot_until,
        d.no_show_at,
        coalesce(d.slot_from, o.placed_at) as wanted_at
    from hub.orders as o
    left join hub.order_details as d on o.order_id = d.order_id
    where
        o.place = $1
        and o.placed_at >= $2
        and o.status = 'open'
        and o.fulfilment_status != 'fulfilled'
        and o.payment_status in ('paid', 'confirmed')
)

select
    w.*,
    held.lines
from waiting as w
cross join
    lateral (
        select
            jsonb_agg(
                jsonb_build_object(
                    'sku', l.sku,
                    'name', i.name,
                    'left_milli', l.quantity_milli - l.fulfilled_milli
                )
                order by length(l.line), l.line
            ) as lines
        from hub.order_lines as l
        left join hub.items as i on l.sku = i.sku
        where l.order_id = w.order_id
    ) as held
where $3::timestamptz is null or (w.wanted_at, w.order_id) > ($3, $4::uuid)
order by w.wanted_at, w.order_id
limit $5;

-- name: details
-- What few orders have, of order $1.
select
    d.parent_id,
    d.origin_id,
    d.tenders,
    d.is_paid_on_delivery,
    d.deposit_kind,
    d.deposit_minor,
    d.balance_due_at,
    d.forfeited_minor,
    d.compensated_minor,
    d.refunding_minor,
    d.slot_from,
    d.slot_until,
    d.cut_off,
    d.session_id,
    d.anchor,
    d.cancelled_milli,
    d.no_show_at
from hub.order_details as d
where d.order_id = $1;

-- name: refunds
-- The refunds of order $1, in time order.
select
    r.refund_id,
    r.kind,
    r.status,
    r.amount_minor,
    r.points,
    r.aftersale_id,
    r.asked_at,
    r.ended_at
from hub.order_refunds as r
where r.order_id = $1
order by r.asked_at, r.refund_id
limit 500;

-- name: aftersales
-- What the buyer of order $1 wanted after the sale, in time order.
select
    a.aftersale_id,
    a.kind,
    a.status,
    a.amount_minor,
    a.requested_at,
    a.ended_at
from hub.aftersales as a
where a.order_id = $1
order by a.requested_at, a.aftersale_id
limit 500;

-- name: timeline
-- What happened to order $3 in all systems: its own events, those of the points spent on it, of the
-- coupons used for it, and of the reports that name it as their origin; the newest first.
with one as (
    select
        o.order_id,
        o.channel,
        o.shop,
        o.order_number
    from hub.orders as o
    where o.order_id = $3
),

objects as (
    select
        'order' as object_kind,
        order_id as object_id
    from one
    union all
    select
        'order',
        d.order_id
    from hub.order_details as d
    where d.origin_id = $3
    union all
    select
        'points',
        s.spend_id
    from hub.points_spends as s
    inner join one
        on
            s.channel = one.channel
            and s.shop = one.shop
            and s.order_number = one.order_number
    union all
    select distinct
        'coupon',
        r.coupon_id
    from hub.coupon_redemptions as r
    inner join one
        on
            r.channel = one.channel
            and r.shop = one.shop
            and r.order_number = one.order_number
)

select
    e.event_key,
    e.occurred_at,
    e.received_at,
    e.type,
    objects.object_kind,
    objects.object_id,
    i.outcome,
    i.reason,
    coalesce(nullif(split_part(e.source, '/', 3), ''), 'hub') as channel,
    split_part(e.source, '/', 5) as shop
from objects
inner join log.events as e on objects.object_id = e.entity_key
inner join log.inbox as i on e.event_key = i.event_key
where
    ($1::text is null or $2::boolean or split_part(e.source, '/', 3) in ($1, ''))
    and ($4::timestamptz is null or (e.occurred_at, e.event_key) < ($4, $5::uuid))
order by e.occurred_at desc, e.event_key desc
limit $6;
