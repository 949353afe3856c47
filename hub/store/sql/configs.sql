-- Configuration.

-- name: versions
select
    name,
    document,
    valid_from
from configs
where kind = $1
order by name, valid_from, published_at, event_key;

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
