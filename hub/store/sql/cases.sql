-- Cases.

-- Cases to be open, but for those a person settled while what is known was the same. One that is
-- open keeps the time it was opened at.
-- name: open
with wanted as (
    select
        n.case_id,
        n.kind,
        n.object_kind,
        n.object_key,
        n.detail,
        case when h.settled = n.detail then 'closed' else 'open' end as state
    from
        unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::jsonb[])
            as n (case_id, kind, object_kind, object_key, detail)
    left join case_handling as h on n.case_id = h.case_id
)

insert into cases (
    case_id, kind, object_kind, object_key, state, detail, opened_at, closed_at
)
select
    case_id,
    kind,
    object_kind,
    object_key,
    state,
    detail,
    $6::timestamptz,
    case when state = 'closed' then $6::timestamptz end
from wanted
on conflict (case_id) do update set
    state = excluded.state,
    detail = excluded.detail,
    opened_at = case when cases.state = 'open' then cases.opened_at else excluded.opened_at end,
    closed_at = excluded.closed_at,
    changed_xid = pg_current_xact_id()
where cases.state <> excluded.state or cases.detail <> excluded.detail;

-- name: close
update cases
set
    state = 'closed',
    closed_at = $2,
    changed_xid = pg_current_xact_id()
where
    case_id = any($1::uuid[])
    and state = 'open';

-- name: steps
select
    event_key,
    case_id,
    type,
    made_at,
    data
from case_steps
where case_id = any($1::uuid[])
order by case_id, made_at, event_key;

-- Cases that a person has just settled, if what is known is still the same.
-- name: settle
update cases as c
set
    state = 'closed',
    closed_at = $2,
    changed_xid = pg_current_xact_id()
from case_handling as h
where
    c.case_id = h.case_id
    and c.case_id = any($1::uuid[])
    and c.state = 'open'
    and c.detail = h.settled;

-- name: lock
select
    kind,
    state,
    detail
from cases
where case_id = $1
for update;

-- name: lock_approvals
select
    approval_id,
    first_received_at
from approvals
where approval_id = any($1::uuid[])
order by approval_id
for update;

-- name: approval
select
    decisions,
    status,
    asked_by
from approvals
where approval_id = $1;
