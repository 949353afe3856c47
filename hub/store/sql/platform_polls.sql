-- Lists of channels' platforms: up to where they were read.

-- name: channels
-- Those that take something, so that their platforms are asked.
select name
from (
    select distinct on (name)
        name,
        document
    from configs
    where kind = 'channel' and valid_from <= now()
    order by name, valid_from desc, published_at desc, event_key desc
) as in_force
where document ->> 'state' = any($1::text[])
order by name;

-- name: begin
-- $3 reads the list $2 of channel $1 for $4 if it is due and nobody else does. Known first now, it
-- is read from now on.
insert into access.platform_polls as p (channel, poll, read_until, owner, leased_until)
values ($1, $2, clock_timestamp(), $3, clock_timestamp() + $4::interval)
on conflict on constraint platform_polls_pk do update
    set owner = excluded.owner, leased_until = excluded.leased_until
    where
    p.due_at <= clock_timestamp()
    and (p.leased_until is null or p.leased_until <= clock_timestamp())
returning
    read_until,
    clock_timestamp() as begun_at;

-- name: hold
update access.platform_polls
set leased_until = clock_timestamp() + $4::interval
where channel = $1 and poll = $2 and owner = $3
returning channel;

-- name: end
-- Read until $4 (null: no further than before), looked at again after $5.
update access.platform_polls
set
    read_until = coalesce($4, read_until),
    due_at = clock_timestamp() + $5::interval,
    owner = null,
    leased_until = null,
    polled_at = clock_timestamp(),
    messages = messages + $6,
    error = $7
where channel = $1 and poll = $2 and owner = $3
returning channel;

-- name: rewind
-- Who reads it now loses it, and moves nothing.
insert into access.platform_polls (channel, poll, read_until)
values ($1, $2, $3)
on conflict on constraint platform_polls_pk do update
    set
        read_until = excluded.read_until,
        due_at = clock_timestamp(),
        owner = null,
        leased_until = null;

-- name: listed
select
    channel,
    poll,
    read_until,
    polled_at,
    messages,
    error
from access.platform_polls
where $1::text is null or channel = $1
order by channel, poll;
