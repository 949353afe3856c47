-- The API of a channel's platform: its token, and turns of calls.

-- name: token
-- Of channel $1. Times are of the database's clock, which all workers share.
select
    sealed,
    coalesce(lives_until > clock_timestamp(), false) as is_live,
    coalesce(renews_at <= clock_timestamp(), true) as is_due
from access.platform_tokens
where channel = $1;

-- name: lease
-- For $2, unless somebody else has it, or has got a token since the caller looked: a refresh token
-- is good once.
insert into access.platform_tokens as t (channel, leased_until)
values ($1, clock_timestamp() + $2::interval)
on conflict on constraint platform_tokens_pk do update
    set leased_until = excluded.leased_until
    where
    (t.leased_until is null or t.leased_until <= clock_timestamp())
    and (t.renews_at is null or t.renews_at <= clock_timestamp())
returning channel;

-- name: cut_lease
-- The caller, who holds it, got no token: somebody may try again after $2.
update access.platform_tokens
set leased_until = clock_timestamp() + $2::interval
where channel = $1;

-- name: put_token
-- Good for $3, got anew after $4.
update access.platform_tokens
set
    sealed = $2,
    lives_until = clock_timestamp() + $3::interval,
    renews_at = clock_timestamp() + $4::interval,
    leased_until = null
where channel = $1;

-- name: end_token
-- It is good no more, if it still is the one ($2) that was used.
update access.platform_tokens
set
    lives_until = clock_timestamp(),
    renews_at = clock_timestamp()
where channel = $1 and sealed = $2;

-- name: book
-- A turn $2 after the one before, if it comes within $3: how long until then.
insert into access.platform_calls as c (channel, free_at)
values ($1, clock_timestamp() + $2::interval)
on conflict on constraint platform_calls_pk do update
    set free_at = greatest(c.free_at, clock_timestamp()) + $2::interval
    where c.free_at <= clock_timestamp() + $3::interval
returning greatest(free_at - $2::interval - clock_timestamp(), '0'::interval) as waits;
