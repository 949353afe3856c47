-- Commands: decisions made at once, and their answers.

-- A replay holds back all writes for its last step; streams are held by their offsets.
-- name: join_writers
lock table log.offsets in row exclusive mode;

-- Waits for another request of the same key that is still being done.
-- name: begin
insert into access.commands (key_prefix, idempotency_key, request_digest)
values ($1, $2, $3)
on conflict (key_prefix, idempotency_key) do nothing
returning true;

-- name: find
select
    request_digest,
    answer
from access.commands
where
    key_prefix = $1
    and idempotency_key = $2;

-- name: answer
update access.commands
set answer = $3
where
    key_prefix = $1
    and idempotency_key = $2;

-- name: clock
select clock_timestamp();

-- name: clock_with_bundles
select
    clock_timestamp() as now,
    exists(select from item_components) as has_bundles;
