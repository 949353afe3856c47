-- name: open
insert into access.sessions (session_digest, person_id) values ($1, $2);

-- name: find
-- Who session $1 is of, unless it was closed, was unused for $2 seconds or is $3 seconds old.
select
    extract(epoch from now() - s.seen_at)::float8 as unseen_s,
    p.person_id,
    p.name,
    p.role,
    p.place,
    p.created_at,
    p.last_login_at,
    p.disabled_at
from access.sessions as s
inner join access.people as p using (person_id)
where
    s.session_digest = $1
    and s.closed_at is null
    and p.disabled_at is null
    and s.seen_at > now() - make_interval(secs => $2)
    and s.opened_at > now() - make_interval(secs => $3);

-- name: seen
update access.sessions
set seen_at = now()
where session_digest = $1;

-- name: close
-- Close session $1, if it is open; whose it was.
update access.sessions
set closed_at = now()
where session_digest = $1 and closed_at is null
returning person_id;

-- name: close_all
-- Close all sessions of person $1.
update access.sessions
set closed_at = now()
where person_id = $1 and closed_at is null;

-- name: forget
-- Forget sessions that began before $1 seconds.
delete from access.sessions
where opened_at < now() - make_interval(secs => $1);

-- name: failures
-- Failed logins of name $1 within the last $2 seconds, and when the oldest of them was.
select
    count(*)::int as failures,
    extract(epoch from now() - min(failed_at))::float8 as oldest_s
from access.login_failures
where login_digest = $1 and failed_at > now() - make_interval(secs => $2);

-- name: failed
insert into access.login_failures (login_digest) values ($1);

-- name: forgive
-- Forget the failures of name $1, and all that are older than $2 seconds.
delete from access.login_failures
where login_digest = $1 or failed_at < now() - make_interval(secs => $2);
