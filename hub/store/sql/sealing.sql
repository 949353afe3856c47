-- Keys of persons, wrapped.

-- name: load_keys
select
    profile_id,
    wrapped_key
from log.profile_keys
where profile_id = any($1::uuid[]);

-- name: add_keys
insert into log.profile_keys (profile_id, wrapped_key)
select * from unnest($1::uuid[], $2::bytea[])
on conflict (profile_id) do nothing;
