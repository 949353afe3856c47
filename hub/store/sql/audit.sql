-- Who did and saw what.

-- name: record
select audit_append($1, $2, $3, $4, $5, $6);

-- name: page
select
    seq,
    at,
    actor,
    action,
    object,
    channel,
    request_id,
    detail
from audit
where
    ($1::bigint is null or seq < $1)
    and ($3::text is null or actor = $3 or object = $3)
order by seq desc
limit $2;
