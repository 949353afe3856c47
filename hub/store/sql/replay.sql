-- Replay of the log into a second schema.

-- name: tables
select table_name
from information_schema.tables
where
    table_schema = 'hub'
    and table_type = 'BASE TABLE'
    and table_name <> all($1::text[])
order by table_name;

-- name: columns
select column_name
from information_schema.columns
where
    table_schema = 'hub'
    and table_name = $1
order by ordinal_position;

-- name: key
select k.column_name
from information_schema.table_constraints as c
inner join information_schema.key_column_usage as k
    on
        c.constraint_name = k.constraint_name
        and c.table_schema = k.table_schema
where
    c.table_schema = 'hub'
    and c.table_name = $1
    and c.constraint_type = 'PRIMARY KEY'
order by k.ordinal_position;

-- name: make_outcomes
create table replayed_outcomes (
    event_key uuid primary key,
    outcome text not null,
    reason text,
    waits_for text
);

-- name: note_outcomes
insert into replayed_outcomes (event_key, outcome, reason, waits_for)
select * from unnest($1::uuid[], $2::text[], $3::text[], $4::text[])
on conflict (event_key) do update set
    outcome = excluded.outcome,
    reason = excluded.reason,
    waits_for = excluded.waits_for;

-- Events whose outcome the replay sees otherwise.
-- name: outcomes_changed
select count(*)
from log.inbox as i
inner join replayed_outcomes as r on i.event_key = r.event_key
where i.outcome <> r.outcome;

-- name: swap_outcomes
update log.inbox as i
set
    outcome = r.outcome,
    reason = r.reason,
    waits_for = r.waits_for,
    changed_xid = pg_current_xact_id()
from replayed_outcomes as r
where
    i.event_key = r.event_key
    and i.outcome <> r.outcome;

-- name: record
insert into access.replays (replay_id, started_at, ended_at, events, differences, swapped)
values (gen_random_uuid(), now(), clock_timestamp(), $1, $2, $3);

-- name: chunk
select
    log_id,
    received_at,
    event_key,
    headers,
    body,
    sealed_by
from log.events
where
    log_id > $1
    and log_id <= $2
order by log_id
limit $3;
