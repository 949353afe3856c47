-- Runs of sync rules: what was made of which fact, counts by the hour, and what failed.

-- name: receivers
-- Who is told what rules deliver; what a paused subscription is told waits.
select
    subscription_id,
    channel,
    types
from access.subscriptions
where
    channel is not null
    and state in ('active', 'paused');

-- name: changed_positions
-- Stock positions that these transactions changed last, as they are.
select
    p.sku,
    p.place,
    p.changed_xid,
    p.on_hand_milli,
    p.committed_milli + p.reserved_milli + p.unavailable_milli
    + case
        when p.has_batches
            then (
                select coalesce(sum(b.left_milli), 0)
                from stock_batches as b
                where b.sku = p.sku and b.place = p.place and b.best_before_at <= now()
            )
        else 0
    end as taken_milli,
    p.version
from stock_positions as p
where p.changed_xid = any($1::xid8[])
order by p.sku, p.place;

-- name: count
insert into rule_hours (rule, version, hour, done, skipped, failed, effects)
select
    n.rule,
    n.version,
    date_trunc('hour', now()),
    n.done,
    n.skipped,
    n.failed,
    n.effects
from
    unnest($1::text[], $2::int[], $3::int[], $4::int[], $5::int[], $6::int[])
        as n (rule, version, done, skipped, failed, effects)
order by n.rule, n.version
on conflict (rule, version, hour) do update set
    done = rule_hours.done + excluded.done,
    skipped = rule_hours.skipped + excluded.skipped,
    failed = rule_hours.failed + excluded.failed,
    effects = rule_hours.effects + excluded.effects,
    changed_xid = pg_current_xact_id();

-- name: listed
-- The newest first, before run $1; of a rule, in a state, of an object, since and until.
select
    run_id,
    rule,
    version,
    fact_key,
    event_key,
    type,
    entity_kind,
    entity_key,
    sku,
    place,
    state,
    effects,
    hops,
    failures,
    retried_by,
    ran_at
from rule_runs
where
    ($1::bigint is null or run_id < $1)
    and ($2::text is null or rule = $2)
    and ($3::text is null or state = $3)
    and (
        $4::uuid is null
        or fact_key in (select e.event_key from log.events as e where e.entity_key = $4)
    )
    and ($5::timestamptz is null or ran_at >= $5)
    and ($6::timestamptz is null or ran_at < $6)
order by run_id desc
limit $7;

-- name: one
select
    run_id,
    rule,
    version,
    fact_key,
    event_key,
    xid,
    outbox_id,
    type,
    entity_kind,
    entity_key,
    sku,
    place,
    state,
    effects,
    hops,
    failures,
    retried_by,
    ran_at
from rule_runs
where run_id = $1;

-- name: lock
select run_id
from rule_runs
where run_id = $1
for update;

-- name: by_fact
select run_id
from rule_runs
where fact_key = $1 and rule = $2 and version = $3;

-- name: others
-- What other versions of a rule did about a fact, by action.
select distinct action
from rule_effects
where fact_key = $1 and rule = $2 and version <> $3 and state in ('done', 'waiting')
union
select distinct action
from deliveries
where event_key = $1 and rule = $2 and rule_version <> $3 and state <> 'failed';

-- name: set_state
-- $3: the failures, null for those before; $4: whether the error policy has been applied to it.
update rule_runs
set
    state = $2,
    failures = $3,
    is_seen_to = $4,
    effects = $5,
    retried_by = $6,
    ran_at = now(),
    changed_xid = pg_current_xact_id()
where run_id = $1;

-- name: note_who
update rule_runs set retried_by = $2, changed_xid = pg_current_xact_id()
where run_id = $1;

-- name: follow
-- A run is what its effects are: failed, waiting, or done.
update rule_runs as r
set
    state = s.state,
    is_seen_to = s.state <> 'failed' or (r.state = 'failed' and r.is_seen_to),
    changed_xid = pg_current_xact_id()
from (
    select
        case
            when bool_or(e.state = 'failed') then 'failed'
            when bool_or(e.state = 'waiting') then 'waiting'
            else 'done'
        end as state
    from (
        select ef.state
        from rule_effects as ef
        where ef.fact_key = $1 and ef.rule = $2 and ef.version = $3
        union all
        select d.state
        from deliveries as d
        where
            d.event_key = $1 and d.rule = $2 and d.rule_version = $3 and d.state = 'failed'
    ) as e
) as s
where
    r.fact_key = $1
    and r.rule = $2
    and r.version = $3
    and r.state <> 'dismissed'
    and r.failures is null
    and r.state <> s.state;

-- name: dismiss
update rule_runs
set
    state = 'dismissed',
    is_seen_to = true,
    retried_by = $2,
    changed_xid = pg_current_xact_id()
where run_id = $1 and state = 'failed'
returning run_id;

-- name: unseen
-- Rules with failures to which their error policy has not been applied: how many, and one of them.
select
    rule,
    max(version) as version,
    count(*) as failures,
    max(run_id) as run_id,
    max(hops) as hops
from rule_runs
where not is_seen_to
group by rule
order by rule;

-- name: seen_to
update rule_runs
set is_seen_to = true, changed_xid = pg_current_xact_id()
where rule = $1 and not is_seen_to;

-- name: open_case
-- A case somebody has open about an object of this kind.
select case_id
from cases
where kind = 'manual' and object_kind = $1 and object_key = $2 and state = 'open'
limit 1;

-- name: summary
-- Each version by its counts since a time, and what of it fails or waits now.
select
    h.rule,
    h.version,
    sum(h.done)::bigint as done,
    sum(h.skipped)::bigint as skipped,
    sum(h.failed)::bigint as failed,
    sum(h.effects)::bigint as effects,
    max(h.hour) as last_hour
from rule_hours as h
where h.hour >= $1 and ($2::text is null or h.rule = $2)
group by h.rule, h.version
order by h.rule, h.version;

-- name: standing
select
    rule,
    count(*) filter (where state = 'failed') as failing,
    count(*) filter (where state = 'waiting') as waiting
from rule_runs
where state in ('failed', 'waiting')
group by rule
order by rule;

-- name: forget
-- Runs that ended before a time, with their effects: $2 at most; what failed stays until it is seen
-- to by somebody.
with gone as (
    delete from rule_runs
    where
        run_id in (
            select run_id
            from rule_runs
            where ran_at < $1 and state in ('done', 'dismissed')
            order by run_id
            limit $2
        )
    returning fact_key, rule, version
),

effects as (
    delete from rule_effects as e
    using gone as g
    where
        e.fact_key = g.fact_key
        and e.rule = g.rule
        and e.version = g.version
        and e.state <> 'waiting'
)

select count(*) from gone;
