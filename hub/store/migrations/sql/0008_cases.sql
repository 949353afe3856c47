-- Schema hub: what cases gained after the spine.

-- Configuration: each version of each document, added and never changed.
create table configs (
    event_key uuid not null,
    kind text not null,
    name text not null,
    document jsonb not null,
    reason text not null,
    valid_from timestamptz not null,
    published_at timestamptz not null,
    changed_xid xid8 not null default pg_current_xact_id(),
    constraint configs_pk primary key (event_key)
);
create index configs_name on configs (kind, name, valid_from);

-- What people did with a case: added and never changed.
create table case_steps (
    event_key uuid not null,
    case_id uuid not null,
    type text not null,
    made_by text not null,
    made_at timestamptz not null,
    data jsonb not null,
    changed_xid xid8 not null default pg_current_xact_id(),
    constraint case_steps_pk primary key (event_key)
);
create index case_steps_case on case_steps (case_id);
-- What the steps of a case come to.
create table case_handling (
    case_id uuid not null,
    assignee text,
    due_at timestamptz,
    priority text not null,
    settled jsonb,
    changed_xid xid8 not null default pg_current_xact_id(),
    constraint case_handling_pk primary key (case_id),
    constraint case_handling_priority_known check (priority in ('low', 'normal', 'high'))
);
comment on column case_handling.settled is
'what was known when a person settled it: the case stays closed while that is so';
create index cases_open on cases (opened_at, case_id) where state = 'open';

-- Decisions that wait for a second person.
create table approvals (
    approval_id uuid not null,
    ledger text not null,
    amount bigint not null,
    decisions jsonb not null,
    reason text not null,
    asked_by text not null,
    asked_at timestamptz not null,
    status text not null,
    ended_by text,
    ended_reason text,
    ended_at timestamptz,
    event_count int not null,
    first_received_at timestamptz not null,
    changed_xid xid8 not null default pg_current_xact_id(),
    constraint approvals_pk primary key (approval_id),
    constraint approvals_status_known check (status in ('asked', 'granted', 'declined')),
    constraint approvals_need_two_persons check (status <> 'granted' or ended_by <> asked_by)
);

-- Checkout: what is held for one order.
create index coupon_reservations_order on coupon_reservations (order_number, channel, shop)
where ended_at is null;
