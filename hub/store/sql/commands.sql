-- Commands: decisions made at once, and their answers.

-- A replay holds back all writes for its last step; streams are held by their offsets.
-- name: join_writers
lock table log.offsets in row exclusive mode;

-- Waits for nobody: not begun while another request of this name is being done. The lock ends with
-- its transaction, so a process that dies leaves the name free.
-- name: begin
insert into access.commands (key_prefix, idempotency_key, request_digest)
select
    $1::text,
    $2::text,
    $3::bytea
where pg_try_advisory_xact_lock(hashtextextended($1::text || ' ' || $2::text, 0))
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
