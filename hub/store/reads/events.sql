-- name: outcomes
-- What became of the events with keys $1.
select
    i.event_key,
    i.outcome,
    i.reason,
    i.waits_for,
    i.received_at
from log.inbox as i
where i.event_key = any($1::uuid []);

-- name: dead_letters_of
-- The dead letters of the events of sources $1 with id $2, the newest first.
select
    d.dead_letter_id,
    d.source,
    d.reason_code,
    d.reason,
    d.field,
    d.state,
    d.received_at
from log.dead_letters as d
where d.source = any($1::text []) and d.event_id = $2
order by d.received_at desc
limit 10;

-- name: next_offset
-- How far the hub has read partition $2 of topic $1; null before the first write.
select max(o.next_offset) as next_offset
from log.offsets as o
where o.topic = $1 and o.partition = $2;
