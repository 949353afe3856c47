-- Wallets: a member's points over all its profiles.

-- A merge locks its members for update: while this is held, the member's profiles stay.
-- name: lock_member
select m.member_id
from members as m
where
    m.member_id = (
        select p.member_id
        from profiles as p
        where p.profile_id = $1
    )
for share;

-- name: profiles
select p.profile_id
from profiles as p
where
    p.member_id = (
        select own.member_id
        from profiles as own
        where own.profile_id = $1
    );

-- name: spend
select
    profile_id,
    spent_points
from points_spends
where spend_id = $1;

-- name: hold
select
    h.hold_id,
    h.spend_id,
    h.profile_id,
    h.status,
    h.points,
    h.captured_points,
    h.placed_at,
    h.expires_at,
    s.channel,
    s.shop,
    s.order_number
from points_holds as h
inner join points_spends as s on h.spend_id = s.spend_id
where h.hold_id = $1;

-- name: timed_out
select
    h.hold_id,
    h.spend_id,
    s.channel,
    s.shop,
    s.order_number
from points_holds as h
inner join points_spends as s on h.spend_id = s.spend_id
where
    h.status = 'held'
    and h.expires_at <= $2
    and h.profile_id = any($1::uuid[])
order by h.spend_id, h.hold_id;

-- name: due_holds
select h.spend_id
from points_holds as h
where
    h.status = 'held'
    and h.expires_at <= $1
order by h.expires_at
limit $2;

-- Of these spendings, once they are claimed.
-- name: still_held
select
    h.hold_id,
    h.spend_id,
    s.channel,
    s.shop,
    s.order_number
from points_holds as h
inner join points_spends as s on h.spend_id = s.spend_id
where
    h.status = 'held'
    and h.spend_id = any($1::uuid[])
    and h.expires_at <= $2
order by h.spend_id, h.hold_id;

-- name: due_accounts
select profile_id
from points_accounts
where due_at <= $1
order by due_at
limit $2;

-- name: still_due
select
    a.profile_id,
    p.channel
from points_accounts as a
inner join profiles as p on a.profile_id = p.profile_id
where
    a.profile_id = any($1::uuid[])
    and a.due_at <= $2
order by a.profile_id;
