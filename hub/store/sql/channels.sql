-- Channels: what is in force of them, and their secrets.

-- name: current
-- The channel $1 as it is in force, and the number of its version.
select
    document,
    version
from (
    select
        document,
        valid_from,
        row_number() over (order by valid_from, published_at, event_key) as version
    from configs
    where kind = 'channel' and name = $1
) as versions
where valid_from <= now()
order by version desc
limit 1;

-- name: pack
-- The newest upload of pack $1, or of its version $2.
select document
from configs
where
    kind = 'channel_pack'
    and name = $1
    and valid_from <= now()
    and ($2::int is null or (document ->> 'version')::int = $2)
order by valid_from desc, published_at desc, event_key desc
limit 1;

-- name: all_current
select distinct on (name)
    name,
    document
from configs
where kind = 'channel' and valid_from <= now()
order by name, valid_from desc, published_at desc, event_key desc;

-- name: secrets
-- Live secrets of channel $1, the newest first.
select
    name,
    secret_id,
    sealed
from access.channel_secrets
where channel = $1 and (retires_at is null or retires_at > now())
order by name, made_at desc, secret_id;

-- name: secret_names
select
    channel,
    name,
    count(*) as live,
    max(made_at) as made_at
from access.channel_secrets
where retires_at is null or retires_at > now()
group by channel, name
order by channel, name;

-- name: retire_secrets
-- Those before live on for $3; at most one of them does.
with former as (
    select
        secret_id,
        row_number() over (order by made_at desc, secret_id) as place
    from access.channel_secrets
    where channel = $1 and name = $2
)

update access.channel_secrets as s
set
    retires_at = least(
        s.retires_at, case when former.place = 1 then now() + $3::interval else now() end
    )
from former
where s.secret_id = former.secret_id;

-- name: add_secret
insert into access.channel_secrets (secret_id, channel, name, sealed)
values ($1, $2, $3, $4);

-- name: parked
-- Open dead letters of pushes of channel $1 behind ($2, $3), the oldest first.
select
    dead_letter_id,
    received_at
from log.dead_letters
where
    state = 'open'
    and topic = 'channel.inbound.v1'
    and starts_with(source, '/channels/' || $1::text || '/shops/')
    and ($2::timestamptz is null or (received_at, dead_letter_id) > ($2, $3::uuid))
order by received_at, dead_letter_id
limit $4;
