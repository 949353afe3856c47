-- name: create
-- Keep a new person.
insert into access.people (person_id, name, role, place, password_hash)
values ($1, $2, $3, $4, $5)
on conflict do nothing
returning person_id;

-- name: find
-- The person of this name of login, disabled or not.
select
    person_id,
    name,
    role,
    place,
    created_at,
    last_login_at,
    disabled_at,
    password_hash
from access.people
where person_id = $1;

-- name: all_people
-- Everybody, by name of login.
select
    person_id,
    name,
    role,
    place,
    created_at,
    last_login_at,
    disabled_at
from access.people
order by person_id
limit 10000;

-- name: set_role
-- Give person $1 another role, and a place if it is a clerk's.
update access.people
set
    role = $2,
    place = $3
where person_id = $1
returning person_id;

-- name: set_password
update access.people
set password_hash = $2
where person_id = $1
returning person_id;

-- name: disable
-- A second time changes nothing.
update access.people
set disabled_at = coalesce(disabled_at, now())
where person_id = $1
returning person_id;

-- name: enable
update access.people
set disabled_at = null
where person_id = $1
returning person_id;

-- name: logged_in
update access.people
set last_login_at = now()
where person_id = $1;
