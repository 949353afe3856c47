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
    debt_points,
    settled_at,
    due_at,
    last_used_at
from points_accounts
where profile_id = any($1::uuid[])
order by profile_id
for update;

-- Without a lock.
-- name: look
select
    profile_id,
    issued_points,
    spent_points,
    expired_points,
    reversed_points,
    pending_points,
    held_points,
    open_points,
    debt_points,
    settled_at,
    due_at,
    last_used_at
from points_accounts
where profile_id = any($1::uuid[]);

-- name: lots
select
    lot_id,
    profile_id,
    granted_points,
    earned_points,
    pending_points,
    open_points,
    expired_points,
    earned_at,
    opens_at,
    expires_at,
    grace_until,
    order_id,
    rule_version
from points_lots
where profile_id = any($1::uuid[]);

-- What each spending took and gave back, summed by time: entries correct what came too early.
-- name: steps
select
    profile_id,
    use_id,
    occurred_at,
    sum(points)::bigint as points
from points_entries
where
    profile_id = any($1::uuid[])
    and use_id is not null
group by profile_id, use_id, occurred_at
having sum(points) <> 0;
