-- Cases.

-- name: close
update cases
set
    state = 'closed',
    closed_at = $2,
    changed_xid = pg_current_xact_id()
where case_id = any($1::uuid[]);

-- name: open
select case_id
from cases
where
    case_id = any($1::uuid[])
    and state = 'open';
