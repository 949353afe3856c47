-- The outbox: facts for rules, deliveries and subscribers.

-- Announce events of the log that are applied now and never were before.
-- name: announce_again
insert into outbox (
    event_key, type, entity_kind, entity_key, occurred_at, received_at, log_id
)
select
    e.event_key,
    e.type,
    e.entity_kind,
    e.entity_key,
    e.occurred_at,
    now(),
    e.log_id
from log.inbox as i
inner join log.events as e
    on
        i.entity_key = e.entity_key
        and i.log_id = e.log_id
        and i.received_at = e.received_at
where
    i.event_key = any($1::uuid[])
    and not i.is_announced;

-- A new reader starts with the first fact, or with the first that is not settled now.
-- name: register
insert into outbox_readers (reader, xid, outbox_id)
select
    $1,
    case when $2::boolean then pg_snapshot_xmin(pg_current_snapshot()) else '0'::xid8 end,
    0
on conflict (reader) do nothing;

-- name: position
select
    xid,
    outbox_id
from outbox_readers
where reader = $1;

-- name: end_of
select pg_snapshot_xmin(pg_current_snapshot());

-- The next facts in the order of (xid, outbox_id), of transactions before which none runs that
-- may still add to the outbox: ids alone become visible out of order. Long transactions of those
-- who never write to it (builds of marts, other databases) hold nobody back. Which transactions
-- run is asked of the snapshot; one that ended meanwhile counts as running. Of types that are not
-- among those asked for ($4, null for all) only the place is told.
-- name: read
with seen as materialized (
    select pg_current_snapshot() as snapshot
),

running as (
    select r.xid
    from seen
    cross join lateral pg_snapshot_xip(seen.snapshot) as r (xid)
    where not exists (
        select from pg_stat_activity as a
        where
            a.backend_xid = r.xid::xid
            and (
                a.datname <> current_database()
                or a.usename in ('hub_dbt', 'hub_dagster')
                -- These tell facts, and make none.
                or a.application_name in ('hub deliveries', 'hub facts', 'hub runs')
            )
    )
),

bound as materialized (
    select
        least(
            pg_snapshot_xmax(seen.snapshot),
            (
                select r.xid
                from running as r
                order by r.xid
                limit 1
            ),
            pg_current_xact_id_if_assigned()
        ) as xid
    from seen
),

page as materialized (
    select o.*
    from outbox as o
    where
        (o.xid, o.outbox_id) > ($1::xid8, $2::bigint)
        and o.xid < (select b.xid from bound as b)
    order by o.xid, o.outbox_id
    limit $3
)

select
    p.xid,
    p.outbox_id,
    p.event_key,
    p.type,
    p.entity_kind,
    p.entity_key,
    p.occurred_at,
    p.received_at,
    e.source,
    e.event_id,
    e.headers,
    e.body,
    e.sealed_by
from page as p
left join log.inbox as i
    on case when $4::text[] is null or p.type = any($4) then p.event_key end = i.event_key
left join log.events as e
    on
        i.entity_key = e.entity_key
        and i.log_id = e.log_id
        and i.received_at = e.received_at
order by p.xid, p.outbox_id;

-- A reader that lost its place to another finds no row.
-- name: advance
update outbox_readers set
    xid = $4::xid8,
    outbox_id = $5::bigint,
    updated_at = now(),
    changed_xid = pg_current_xact_id()
where
    reader = $1
    and xid = $2::xid8
    and outbox_id = $3::bigint
returning reader;

-- name: try_hold
select pg_try_advisory_lock($1);

-- Facts by their places, in order.
-- name: at
select
    o.xid,
    o.outbox_id,
    o.event_key,
    o.type,
    o.entity_kind,
    o.entity_key,
    o.occurred_at,
    o.received_at,
    e.source,
    e.event_id,
    e.headers,
    e.body,
    e.sealed_by
from unnest($1::xid8[], $2::bigint[]) as p (xid, outbox_id)
inner join outbox as o on p.xid = o.xid and p.outbox_id = o.outbox_id
inner join log.inbox as i on o.event_key = i.event_key
inner join log.events as e
    on
        i.entity_key = e.entity_key
        and i.log_id = e.log_id
        and i.received_at = e.received_at
order by o.xid, o.outbox_id;
