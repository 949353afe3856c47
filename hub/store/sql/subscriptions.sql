-- Subscriptions: who is told what, and where.

-- name: add
insert into access.subscriptions (
    subscription_id, channel, label, types, target_url, has_own_events, sealed_secret
)
values ($1, $2, $3, $4, $5, $6, $7);

-- name: listed
-- Those of channel $1, or all; or the one with id $2.
select
    subscription_id,
    channel,
    label,
    types,
    target_url,
    has_own_events,
    case when failures > 0 and state = 'active' then 'failing' else state end as state,
    reason,
    resumes_at,
    created_at
from access.subscriptions
where
    ($1::text is null or channel = $1)
    and ($2::uuid is null or subscription_id = $2)
    and state <> 'ended'
order by created_at, subscription_id;

-- name: set_state
update access.subscriptions
set state = $2, reason = $3, failures = 0, resumes_at = null
where subscription_id = $1 and state <> 'ended';

-- name: rotate
-- The secret before signs beside the new one for $3.
update access.subscriptions
set
    former_secret = sealed_secret,
    former_until = now() + $3::interval,
    sealed_secret = $2
where subscription_id = $1 and state <> 'ended';

-- name: active
-- Those for which something is noted now, with the state of their channels.
select
    s.subscription_id,
    s.channel,
    s.types,
    s.target_url,
    s.has_own_events,
    s.sealed_secret,
    case when s.former_until > now() then s.former_secret end as former_secret,
    s.failures,
    s.resumes_at,
    s.state,
    coalesce(c.state, 'live') as channel_state
from access.subscriptions as s
left join lateral (
    select c.document ->> 'state' as state
    from configs as c
    where
        c.kind = 'channel'
        and c.name = s.channel
        and c.valid_from <= now()
    order by c.valid_from desc, c.published_at desc, c.event_key desc
    limit 1
) as c on true
where s.state in ('active', 'paused');

-- name: noted
select subscription_id
from access.subscriptions
where state in ('active', 'paused');

-- name: note_failures
update access.subscriptions
set failures = $2, resumes_at = $3, reason = $4
where subscription_id = $1;
