-- Dead letters.

-- name: page
select
    dead_letter_id,
    received_at,
    topic,
    partition,
    kafka_offset,
    source,
    event_id,
    type,
    reason_code,
    reason,
    field,
    state,
    redriven_at,
    redriven_by,
    octet_length(body) as body_bytes
from log.dead_letters
where
    state = $1
    and ($3::timestamptz is null or (received_at, dead_letter_id) > ($3, $4::uuid))
order by received_at, dead_letter_id
limit $2;

-- name: show
select
    dead_letter_id,
    received_at,
    topic,
    partition,
    kafka_offset,
    kafka_key,
    headers,
    body,
    source,
    event_id,
    type,
    reason_code,
    reason,
    field,
    state,
    redriven_at,
    redriven_by,
    octet_length(body) as body_bytes
from log.dead_letters
where dead_letter_id = $1;

-- name: mark_redriven
update log.dead_letters
set
    state = 'redriven',
    redriven_at = now(),
    redriven_by = $2,
    changed_xid = pg_current_xact_id()
where dead_letter_id = $1;

-- name: bodies
select
    dead_letter_id,
    body
from log.dead_letters
where octet_length(body) > 0;

-- name: empty
update log.dead_letters
set
    body = null,
    kafka_key = null,
    headers = null,
    state = 'dismissed',
    changed_xid = pg_current_xact_id()
where dead_letter_id = any($1::uuid[]);
