-- name: listed
-- Cases, the oldest first, after the keyset ($6, $7).
select
    c.case_id,
    c.kind,
    c.object_kind,
    c.object_key,
    c.state,
    c.detail,
    c.opened_at,
    c.closed_at,
    h.assignee,
    h.due_at,
    h.priority
from hub.cases as c
left join hub.case_handling as h on c.case_id = h.case_id
where
    ($1::text is null or c.state = $1)
    and ($2::text is null or c.kind = $2)
    and ($3::text is null or h.assignee = $3)
    and ($4::text is null or c.object_kind = $4)
    and ($5::text is null or c.object_key = $5)
    and ($6::timestamptz is null or (c.opened_at, c.case_id) > ($6, $7::uuid))
order by c.opened_at, c.case_id
limit $8;

-- name: get
select
    c.case_id,
    c.kind,
    c.object_kind,
    c.object_key,
    c.state,
    c.detail,
    c.opened_at,
    c.closed_at,
    h.assignee,
    h.due_at,
    h.priority
from hub.cases as c
left join hub.case_handling as h on c.case_id = h.case_id
where c.case_id = $1;

-- name: steps
select
    type,
    made_by,
    made_at,
    data
from hub.case_steps
where case_id = $1
order by made_at, event_key
limit 1000;
