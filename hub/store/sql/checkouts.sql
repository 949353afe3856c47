-- What is held for one order: stock, coupons, points.

-- The parts that nobody ended but time. A part whose time is over is shown as such, so that a
-- checkout is never committed in half; a coupon may still have a use left for who comes late.
-- name: parts
select
    'stock' as part,
    '' as name,
    null as reservation_id,
    place,
    null as account,
    0::bigint as points,
    status = 'expired' or (status = 'held' and expires_at <= clock_timestamp()) as is_over
from reservations
where
    order_id = $1
    and status in ('held', 'expired', 'confirmed')
union all
select
    'points',
    h.hold_id,
    null,
    null,
    null,
    h.points,
    h.status = 'expired' or h.expires_at <= clock_timestamp()
from points_holds as h
where
    h.spend_id = $2
    and h.status in ('held', 'expired')
    and not exists (
        select from points_holds as newer
        where newer.spend_id = h.spend_id and newer.placed_at > h.placed_at
    )
union all
select
    'coupon',
    c.code,
    r.reservation_id,
    r.place,
    p.account,
    0,
    false
from coupon_reservations as r
inner join coupons as c on r.coupon_id = c.coupon_id
left join profiles as p on r.profile_id = p.profile_id
where
    r.channel = $3
    and r.shop = $4
    and r.order_number = $5
    and r.ended_at is null
order by part, name;
