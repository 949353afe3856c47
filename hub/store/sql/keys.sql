-- name: create
-- Keep a new key.
insert into access.api_keys (key_prefix, key_digest, channel, scopes, label)
values ($1, $2, $3, $4, $5);

-- name: find
-- The key of prefix $1, revoked or not.
select
    key_prefix,
    channel,
    scopes,
    label,
    created_at,
    last_used_at,
    revoked_at,
    key_digest
from access.api_keys
where key_prefix = $1;

-- name: all_keys
-- Every key, the newest first.
select
    key_prefix,
    channel,
    scopes,
    label,
    created_at,
    last_used_at,
    revoked_at
from access.api_keys
order by created_at desc, key_prefix
limit 10000;

-- name: revoke
-- Revoke key $1; a second time changes nothing.
update access.api_keys
set revoked_at = coalesce(revoked_at, now())
where key_prefix = $1
returning key_prefix, channel, scopes, label, created_at, last_used_at, revoked_at;

-- name: mark_used
-- Keys $1 were used at times $2; an older time changes nothing.
update access.api_keys as k
set last_used_at = greatest(k.last_used_at, used.at)
from unnest($1::text [], $2::timestamptz []) as used (prefix, at)
where k.key_prefix = used.prefix;
