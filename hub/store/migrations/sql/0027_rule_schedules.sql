-- Schema hub: rules that run by a schedule over a segment of members.
create table rule_schedules (
    rule text not null,
    version int not null,
    due_at timestamptz not null,
    found int not null default 0,
    asked_at timestamptz,
    asked_by text,
    changed_xid xid8 not null default pg_current_xact_id(),
    constraint rule_schedules_pk primary key (rule)
);
comment on column rule_schedules.due_at is
'up to when the schedule was seen to: it ran when it was due last, or the version was new';
comment on column rule_schedules.asked_at is
'when somebody wanted it to run at once; null when it did';

create table rule_dues (
    rule text not null,
    profile_id uuid not null,
    due_at timestamptz not null,
    segment text not null,
    count bigint not null,
    next_at timestamptz,
    changed_xid xid8 not null default pg_current_xact_id(),
    constraint rule_dues_pk primary key (rule, profile_id)
);
comment on table rule_dues is
'whom a schedule found and the rule was not run on yet: each becomes an event, and is gone';
