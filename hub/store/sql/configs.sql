-- Configuration.

-- name: versions
select
    name,
    document,
    valid_from
from configs
where kind = $1
order by name, valid_from, published_at, event_key;

-- The version of one document that is in force at a time.
-- name: in_force
select document
from configs
where
    kind = $1
    and name = $2
    and valid_from <= $3
order by valid_from desc, published_at desc, event_key desc
limit 1;

-- name: listed
select
    kind,
    name,
    document,
    reason,
    valid_from,
    published_at,
    row_number() over (
        partition by kind, name
        order by valid_from, published_at, event_key
    ) as version
from configs
where
    ($1::text is null or kind = $1)
    and ($2::text is null or name = $2)
order by kind, name, version desc;
