-- Points accounts and lots.

-- An account that does not exist yet can't be locked: two writes that both start it would each
-- begin at nothing, and the second would overwrite the first. So it is made, in the same order,
-- and then locked.
-- name: ensure
insert into points_accounts (
    profile_id,
    issued_points,
    spent_points,
    expired_points,
    reversed_points,
    pending_points,
    held_points,
    open_points,
    debt_points
)
select
    k.profile_id,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0
from unnest($1::uuid[]) as k (profile_id)
where
    not exists (
        select from points_accounts as a
        where a.profile_id = k.profile_id
    )
order by k.profile_id
on conflict (profile_id) do nothing;

-- name: lock
select
    profile_id,
    issued_points,
    spent_points,
    expired_points,
    reversed_points,
    pending_points,
    held_points,
    open_points,
    debt_points
from points_accounts
where profile_id = any($1::uuid[])
order by profile_id
for update;

-- name: lots
select
    lot_id,
    profile_id,
    earned_points,
    open_points,
    earned_at,
    expires_at,
    order_id,
    rule_version
from points_lots
where profile_id = any($1::uuid[]);
