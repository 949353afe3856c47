-- name: create
-- Keep a new key.
insert into access.api_keys (key_prefix, key_digest, channel, scopes, label, requests_per_s)
values ($1, $2, $3, $4, $5, $6);

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
    rotated_at,
    former_until,
    requests_per_s,
    key_digest,
    former_digest
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
    revoked_at,
    rotated_at,
    former_until,
    requests_per_s
from access.api_keys
order by created_at desc, key_prefix
limit 10000;

-- name: revoke
-- Revoke key $1; a second time changes nothing.
update access.api_keys
set revoked_at = coalesce(revoked_at, now())
where key_prefix = $1
returning
    key_prefix,
    channel,
    scopes,
    label,
    created_at,
    last_used_at,
    revoked_at,
    rotated_at,
    former_until,
    requests_per_s;

-- name: rotate
-- Key $1 has the secret of digest $2; the one before is good for $3.
update access.api_keys
set
    former_digest = key_digest,
    former_until = now() + $3::interval,
    key_digest = $2,
    rotated_at = now()
where key_prefix = $1 and revoked_at is null
returning key_prefix;

-- name: mark_used
-- Keys $1 were used at times $2; an older time changes nothing.
update access.api_keys as k
set last_used_at = greatest(k.last_used_at, used.at)
from unnest($1::text [], $2::timestamptz []) as used (prefix, at)
where k.key_prefix = used.prefix;
