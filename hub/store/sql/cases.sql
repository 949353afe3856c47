-- Cases.

-- Cases to be open; those that are keep the time they were opened at.
-- name: open
insert into cases (case_id, kind, object_kind, object_key, state, detail, opened_at)
select
    n.case_id,
    n.kind,
    n.object_kind,
    n.object_key,
    'open',
    n.detail,
    $6::timestamptz
from
    unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::jsonb[])
        as n (case_id, kind, object_kind, object_key, detail)
on conflict (case_id) do update set
    state = 'open',
    detail = excluded.detail,
    opened_at = case when cases.state = 'open' then cases.opened_at else excluded.opened_at end,
    closed_at = null,
    changed_xid = pg_current_xact_id()
where cases.state <> 'open' or cases.detail <> excluded.detail;

-- name: close
update cases
set
    state = 'closed',
    closed_at = $2,
    changed_xid = pg_current_xact_id()
where
    case_id = any($1::uuid[])
    and state = 'open';
