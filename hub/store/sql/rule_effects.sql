-- Effects of sync rules that wait, or that the worker does itself.

-- name: due
-- The first that are due of each rule that is not held, one for each order key: what comes before
-- it has to be over.
select
    e.effect_id,
    e.seq,
    e.rule,
    e.version,
    e.fact_key,
    e.xid,
    e.outbox_id,
    e.sku,
    e.place,
    e.action,
    e.kind,
    e.order_key,
    e.attempts,
    e.created_at
from (
    select distinct rule
    from rule_effects
    where state = 'waiting' and due_at <= $1 and rule <> all($2::text[])
) as r
cross join
    lateral (
        select w.*
        from rule_effects as w
        where
            w.rule = r.rule
            and w.state = 'waiting'
            and w.due_at <= $1
            and not exists (
                select
                from rule_effects as b
                where
                    b.rule = w.rule
                    and b.order_key = w.order_key
                    and b.state = 'waiting'
                    and b.seq < w.seq
            )
        order by w.seq
        limit $3
    ) as e
order by e.seq;

-- name: hold
-- Whoever does it holds it; nobody does one that is over.
select effect_id
from rule_effects
where effect_id = $1 and state = 'waiting'
for update skip locked;

-- name: end_effect
update rule_effects
set
    state = $2,
    attempts = attempts + $3,
    last_error = $4,
    result = $5,
    ended_at = now(),
    changed_xid = pg_current_xact_id()
where effect_id = $1 and state = 'waiting';

-- name: again
update rule_effects
set
    attempts = attempts + 1,
    due_at = $2,
    last_error = $3,
    changed_xid = pg_current_xact_id()
where effect_id = $1 and state = 'waiting';

-- name: later
update rule_effects
set due_at = $2, changed_xid = pg_current_xact_id()
where effect_id = any($1::uuid[]) and state = 'waiting';

-- name: done_since
select
    count(*) as done,
    min(ended_at) as first_at
from rule_effects
where rule = $1 and ended_at > $2 and state = 'done';

-- name: drop_waiting
-- Of a rule that was put away.
update rule_effects
set
    state = 'dropped',
    ended_at = now(),
    last_error = 'the rule was put away',
    changed_xid = pg_current_xact_id()
where rule = any($1::text[]) and state = 'waiting'
returning fact_key, rule, version;

-- name: of_run
select
    effect_id,
    action,
    kind,
    state,
    attempts,
    due_at,
    last_error,
    result,
    created_at,
    ended_at
from rule_effects
where fact_key = $1 and rule = $2 and version = $3
order by seq;

-- name: revive
-- Those that failed wait again, after those that wait of their object.
update rule_effects
set
    state = 'waiting',
    attempts = 0,
    seq = nextval('rule_effect_seq'),
    due_at = now(),
    ended_at = null,
    changed_xid = pg_current_xact_id()
where
    fact_key = $1
    and rule = $2
    and version = $3
    and state in ('failed', 'dropped')
    and action = any($4::text[])
returning action;

-- name: waiting
select
    rule,
    count(*) as waiting
from rule_effects
where state = 'waiting'
group by rule;

-- name: buyer
-- The account that bought an order, at the order's channel.
select p.account
from orders as o
inner join profiles as p on o.profile_id = p.profile_id
where
    o.order_id = $1
    and o.channel = p.channel
    and p.account <> '';
