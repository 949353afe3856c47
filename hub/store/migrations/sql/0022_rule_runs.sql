-- Schema hub: what sync rules made of facts. Bodies are made when they are needed, from the fact
-- and the version of the rule: nothing of a person is kept here.
create table rule_runs (
    run_id bigint generated always as identity,
    rule text not null,
    version int not null,
    fact_key uuid not null,
    event_key uuid not null,
    xid xid8 not null,
    outbox_id bigint not null,
    type text not null,
    entity_kind text not null,
    entity_key uuid not null,
    sku text,
    place text,
    state text not null,
    effects int not null,
    hops int not null,
    failures jsonb,
    is_seen_to boolean not null default true,
    retried_by text,
    ran_at timestamptz not null default now(),
    changed_xid xid8 not null default pg_current_xact_id(),
    constraint rule_runs_pk primary key (run_id),
    constraint rule_runs_once unique (fact_key, rule, version),
    constraint rule_runs_state_known check (
        state in ('done', 'waiting', 'failed', 'dismissed')
    )
);
create index rule_runs_listed on rule_runs (rule, run_id);
create index rule_runs_open on rule_runs (rule, state, run_id) where state in ('waiting', 'failed');
create index rule_runs_unseen on rule_runs (rule) where not is_seen_to;
comment on table rule_runs is
'one row a rule, version and fact that it did something about, or failed at';
comment on column rule_runs.fact_key is
'the event_key; of a stock position that changed, one made of both';
comment on column rule_runs.xid is 'with outbox_id: where its fact stands in the outbox';
comment on column rule_runs.is_seen_to is
'false while the error policy of the rule has not been applied to a failure';
comment on column rule_runs.retried_by is 'who had it run again, the last time';

create sequence rule_effect_seq as bigint;
create table rule_effects (
    effect_id uuid not null,
    seq bigint not null default nextval('rule_effect_seq'),
    rule text not null,
    version int not null,
    fact_key uuid not null,
    xid xid8 not null,
    outbox_id bigint not null,
    sku text,
    place text,
    action text not null,
    kind text not null,
    order_key text not null,
    state text not null default 'waiting',
    attempts int not null default 0,
    due_at timestamptz not null default now(),
    last_error text,
    result jsonb,
    created_at timestamptz not null default now(),
    ended_at timestamptz,
    changed_xid xid8 not null default pg_current_xact_id(),
    constraint rule_effects_pk primary key (effect_id),
    constraint rule_effects_state_known check (
        state in ('waiting', 'done', 'failed', 'dropped')
    )
);
create index rule_effects_waiting on rule_effects (rule, seq) where state = 'waiting';
create index rule_effects_due on rule_effects (due_at) where state = 'waiting';
create index rule_effects_before on rule_effects (rule, order_key, seq) where state = 'waiting';
create index rule_effects_ended on rule_effects (rule, ended_at) where ended_at is not null;
create index rule_effects_of on rule_effects (fact_key);
comment on table rule_effects is
'one row an effect that the rules worker does itself, later or by a command; deliveries that can'
' be made at once are in deliveries';

create table rule_hours (
    rule text not null,
    version int not null,
    hour timestamptz not null,
    done int not null,
    skipped int not null,
    failed int not null,
    effects int not null,
    changed_xid xid8 not null default pg_current_xact_id(),
    constraint rule_hours_pk primary key (rule, version, hour)
);
comment on table rule_hours is
'one row a version and hour: how many facts it was run on, and what came of them';

alter table deliveries
add column rule text,
add column rule_version int,
add column action text;
create index deliveries_by_rules on deliveries (event_key) where rule is not null;
comment on column deliveries.rule is
'the rule by whose map it is told, with its version and action; null for a subscriber''s facts';
