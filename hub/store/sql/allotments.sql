-- Allotments of stock items to channels and live sessions.

-- name: set
insert into allotments as a (
    allotment_key, channel, session, sku, place, set_at, set_by, target_milli, buffer_milli
)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
on conflict (allotment_key) do update
    set
        set_at = excluded.set_at,
        set_by = excluded.set_by,
        target_milli = excluded.target_milli,
        buffer_milli = excluded.buffer_milli,
        changed_xid = pg_current_xact_id()
    where a.set_at is null or (a.set_at, a.set_by) < (excluded.set_at, excluded.set_by)
returning true;

-- name: confirm
insert into allotments as a (
    allotment_key, channel, session, sku, place, confirmed_at, confirmed_by, confirmed_milli
)
values ($1, $2, $3, $4, $5, $6, $7, $8)
on conflict (allotment_key) do update
    set
        confirmed_at = excluded.confirmed_at,
        confirmed_by = excluded.confirmed_by,
        confirmed_milli = excluded.confirmed_milli,
        changed_xid = pg_current_xact_id()
    where
    a.confirmed_at is null
    or (a.confirmed_at, a.confirmed_by) < (excluded.confirmed_at, excluded.confirmed_by)
returning true;

-- name: note_session
insert into live_sessions as s (session_key, channel, session, opened_at, closed_at)
values ($1, $2, $3, $4, $5)
on conflict (session_key) do update
    set
        opened_at = least(s.opened_at, excluded.opened_at),
        closed_at = least(s.closed_at, excluded.closed_at),
        changed_xid = pg_current_xact_id();

-- name: of_session
select
    sku,
    place
from allotments
where channel = $1 and session = $2;

-- name: held_for_others
select sum(held_milli)::bigint
from allotments
where sku = $1 and place = $2 and channel <> $3;

-- What sales took of each allotment since it was set: a channel's in the time of a live session
-- from the session's, all others from its own.
-- name: drawn
with listed as (
    select
        a.allotment_key,
        a.channel,
        a.session,
        a.sku,
        a.place,
        a.set_at,
        a.target_milli,
        a.buffer_milli,
        s.opened_at,
        s.closed_at
    from allotments as a
    inner join unnest($1::text[], $2::text[]) as k (sku, place)
        on
            a.sku = k.sku
            and a.place = k.place
    left join live_sessions as s
        on
            a.session <> ''
            and a.channel = s.channel
            and a.session = s.session
    where a.set_at is not null
),

sales as (
    select
        m.sku,
        m.place,
        m.occurred_at,
        coalesce(o.channel, r.channel) as channel,
        m.committed_milli + m.reserved_milli + m.unavailable_milli - m.on_hand_milli as milli
    from stock_movements as m
    inner join (select
        sku,
        place,
        min(set_at) as since
    from listed group by sku, place) as k
        on
            m.sku = k.sku
            and m.place = k.place
            and m.occurred_at >= k.since
    left join orders as o on m.order_id = o.order_id
    left join reservations as r on m.order_id = r.order_id
    where
        m.order_id is not null
        and m.kind <> all($3::text[])
),

in_session as (
    select
        v.*,
        exists(
            select from listed as l
            where
                l.session <> ''
                and l.channel = v.channel
                and l.sku = v.sku
                and l.place = v.place
                and v.occurred_at >= l.opened_at
                and (l.closed_at is null or v.occurred_at < l.closed_at)
        ) as is_in_session
    from sales as v
)

select
    l.allotment_key,
    l.sku,
    l.place,
    l.target_milli,
    l.buffer_milli,
    l.closed_at is not null as is_over,
    coalesce(sum(v.milli), 0)::bigint as drawn_milli
from listed as l
left join in_session as v
    on
        l.sku = v.sku
        and l.place = v.place
        and l.channel = v.channel
        and l.set_at <= v.occurred_at
        and case
            when l.session = '' then not v.is_in_session
            else
                l.opened_at <= v.occurred_at
                and (l.closed_at is null or l.closed_at > v.occurred_at)
        end
group by
    l.allotment_key, l.sku, l.place, l.target_milli, l.buffer_milli, l.closed_at
order by l.allotment_key;

-- name: keep
update allotments as a
set
    held_milli = n.held_milli,
    is_stale = $3 and n.held_milli > 0,
    changed_xid = pg_current_xact_id()
from unnest($1::uuid[], $2::bigint[]) as n (allotment_key, held_milli)
where
    a.allotment_key = n.allotment_key
    and (a.held_milli <> n.held_milli or a.is_stale <> ($3 and n.held_milli > 0));

-- name: note_position
update stock_positions
set
    allotted_milli = $3,
    changed_xid = pg_current_xact_id()
where
    sku = $1
    and place = $2
    and allotted_milli is distinct from $3;
