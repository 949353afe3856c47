-- Points accounts and lots.

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
