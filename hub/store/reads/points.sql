-- name: accounts
-- The points accounts of profiles $1: one for each profile that ever had points.
select
    a.profile_id,
    p.channel,
    a.issued_points,
    a.spent_points,
    a.expired_points,
    a.reversed_points,
    a.pending_points,
    a.held_points,
    a.open_points,
    a.debt_points
from hub.points_accounts as a
inner join hub.profiles as p on a.profile_id = p.profile_id
where a.profile_id = any($1::uuid [])
order by a.profile_id;

-- name: entries
-- The ledger entries of profiles $1, newest first.
select
    e.entry_id,
    e.profile_id,
    p.channel,
    e.kind,
    e.points,
    e.order_id,
    e.occurred_at,
    e.rule_version
from hub.points_entries as e
inner join hub.profiles as p on e.profile_id = p.profile_id
where
    e.profile_id = any($1::uuid [])
    and ($2::timestamptz is null or (e.occurred_at, e.entry_id) < ($2, $3::uuid))
order by e.occurred_at desc, e.entry_id desc
limit $4;
