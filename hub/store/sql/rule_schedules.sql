-- Schedules of rules: when each was seen to, and whom it found.

-- name: known
select
    rule,
    version,
    due_at,
    found,
    asked_at
from rule_schedules
where rule = any($1::text[]);

-- name: begin
-- A version that is new: what was due before it is not caught up.
insert into rule_schedules as s (rule, version, due_at)
values ($1, $2, $3)
on conflict (rule) do update set
    version = excluded.version,
    due_at = greatest(s.due_at, excluded.due_at),
    changed_xid = pg_current_xact_id();

-- name: take
-- The occurrence, if nobody has taken it: due after the last, or asked for.
update rule_schedules
set
    due_at = greatest(due_at, $2),
    found = $3,
    asked_at = null,
    asked_by = null,
    changed_xid = pg_current_xact_id()
where rule = $1 and (due_at < $2 or asked_at is not null)
returning rule;

-- name: find
-- Whom it found before and was not told yet is told of this occurrence alone.
insert into rule_dues as d (rule, profile_id, due_at, segment, count, next_at)
select
    $1,
    m.profile_id,
    $2,
    $3,
    m.count,
    m.next_at
from unnest($4::uuid[], $5::bigint[], $6::timestamptz[]) as m (profile_id, count, next_at)
order by m.profile_id
on conflict (rule, profile_id) do update set
    due_at = excluded.due_at,
    segment = excluded.segment,
    count = excluded.count,
    next_at = excluded.next_at,
    changed_xid = pg_current_xact_id();

-- name: next
-- Some of whom rules found that run now; who was erased since is left out.
with taken as (
    delete from rule_dues
    where
        (rule, profile_id) in (
            select
                rule,
                profile_id
            from rule_dues
            where rule = any($1::text[])
            order by rule, profile_id
            limit $2
        )
    returning rule, profile_id, due_at, segment, count, next_at
)

select
    t.rule,
    t.due_at,
    t.segment,
    t.count,
    t.next_at,
    p.channel,
    p.account
from taken as t
left join profiles as p on t.profile_id = p.profile_id and p.account <> ''
order by t.rule, t.profile_id;

-- name: ask
-- The worker may not have seen the rule yet: it knows no version 0.
insert into rule_schedules (rule, version, due_at, asked_at, asked_by)
values ($1, 0, now(), clock_timestamp(), $2)
on conflict (rule) do update set
    asked_at = excluded.asked_at,
    asked_by = excluded.asked_by,
    changed_xid = pg_current_xact_id();
