-- name: accounts
-- The points accounts of profiles $1: one for each profile that ever had points.
select
    a.profile_id,
    p.channel,
    a.issued_points,
    a.spent_points,
    a.expired_points,
    a.reversed_points,
    a.pending_points,
    a.held_points,
    a.open_points,
    a.debt_points
from hub.points_accounts as a
inner join hub.profiles as p on a.profile_id = p.profile_id
where a.profile_id = any($1::uuid [])
order by a.profile_id;

-- name: entries
-- The ledger entries of profiles $1, newest first.
select
    e.entry_id,
    e.profile_id,
    p.channel,
    e.kind,
    e.points,
    e.order_id,
    e.occurred_at,
    e.rule_version
from hub.points_entries as e
inner join hub.profiles as p on e.profile_id = p.profile_id
where
    e.profile_id = any($1::uuid [])
    and ($2::timestamptz is null or (e.occurred_at, e.entry_id) < ($2, $3::uuid))
order by e.occurred_at desc, e.entry_id desc
limit $4;

-- name: lots
-- The lots of profiles $1 that make up the balance or will: those that end first come first.
select
    l.lot_id,
    p.channel,
    l.granted_points,
    l.earned_points,
    l.pending_points,
    l.open_points,
    l.expired_points,
    l.earned_at,
    l.opens_at,
    coalesce(l.grace_until, l.expires_at) as ends_at,
    l.order_id,
    l.rule_version
from hub.points_lots as l
inner join hub.profiles as p on l.profile_id = p.profile_id
where
    l.profile_id = any($1::uuid [])
    and l.open_points + l.pending_points > 0
order by coalesce(l.grace_until, l.expires_at) nulls last, l.earned_at, l.lot_id
limit $2;

-- name: causes
-- The entries of profiles $3, of these lots $4 or (null) of what was spent, each with its event: of
-- another channel's event only what it was and when, as in the timeline.
select
    e.entry_id,
    e.lot_id,
    e.use_id,
    p.channel,
    e.kind,
    e.points,
    e.held_points,
    e.order_id,
    e.occurred_at,
    e.rule_version,
    v.type as event_type,
    case
        when $1::text is null or split_part(v.source, '/', 3) = $1 then v.event_id
    end as event_id
from hub.points_entries as e
inner join hub.profiles as p on e.profile_id = p.profile_id
left join log.inbox as i on e.event_key = i.event_key
left join log.events as v
    on
        i.entity_key = v.entity_key
        and i.log_id = v.log_id
        and i.received_at = v.received_at
where
    $2::boolean is not null
    and e.profile_id = any($3::uuid [])
    and (
        e.lot_id = any($4::uuid [])
        or ($4::uuid [] is null and (e.use_id is not null or e.kind = 'adjusted' and e.points < 0))
    )
order by e.occurred_at desc, e.entry_id desc
limit $5;

-- name: rules
-- The published versions of the rule: as many as there were decisions about it.
select
    'points_rules/' || row_number() over (
        order by c.valid_from, c.published_at, c.event_key
    ) as rule_version,
    c.reason
from hub.configs as c
where
    c.kind = 'points_rules'
    and c.name = 'default';
