-- What the hub holds of a channel, to be compared with the channel's own list.

-- name: orders
-- Orders of channel $1, placed from $2 (included) to $3 (excluded), of shop $4, where these are
-- given.
select
    shop,
    order_number,
    currency,
    status,
    payment_status,
    fulfilment_status,
    return_status,
    gross_minor,
    discount_minor,
    total_minor,
    paid_minor,
    refunded_minor
from orders
where
    channel = $1
    and ($2::timestamptz is null or placed_at >= $2)
    and ($3::timestamptz is null or placed_at < $3)
    and ($4::text is null or shop = $4);

-- name: stock
-- All positions, and what of them is kept for channel $1.
select
    p.sku,
    p.place,
    p.on_hand_milli,
    p.on_hand_milli - p.committed_milli - p.reserved_milli - p.unavailable_milli
        as available_milli,
    coalesce(a.held_milli, 0) as allotted_milli
from stock_positions as p
left join allotments as a
    on
        p.sku = a.sku
        and p.place = a.place
        and a.channel = $1
        and a.session = '';

-- name: members
-- Accounts of channel $1 that were not erased.
select account
from profiles
where
    channel = $1
    and erased_at is null;

-- name: points
-- Accounts of points of channel $1.
select
    p.account,
    a.pending_points,
    a.held_points,
    a.open_points,
    a.debt_points,
    a.spent_points,
    a.expired_points,
    a.open_points - a.debt_points as balance_points
from points_accounts as a
inner join profiles as p on a.profile_id = p.profile_id
where
    p.channel = $1
    and p.erased_at is null;
