-- Schema hub: what subscribers are to be told. Bodies are made when they are sent: nothing of a
-- person is kept here, and stock is told as it is then.
create sequence delivery_seq as bigint;
create table deliveries (
    delivery_id uuid not null,
    seq bigint not null default nextval('delivery_seq'),
    subscription_id uuid not null,
    type text not null,
    event_key uuid not null,
    xid xid8 not null,
    outbox_id bigint not null,
    order_key text not null,
    sku text,
    place text,
    state text not null default 'waiting',
    generation int not null default 1,
    attempts int not null default 0,
    next_at timestamptz not null default now(),
    is_replay boolean not null default false,
    last_status int,
    last_error text,
    created_at timestamptz not null default now(),
    ended_at timestamptz,
    changed_xid xid8 not null default pg_current_xact_id(),
    constraint deliveries_pk primary key (delivery_id),
    constraint deliveries_state_known check (state in ('waiting', 'delivered', 'failed'))
);
create index deliveries_waiting on deliveries (subscription_id, seq) where state = 'waiting';
create index deliveries_listed on deliveries (subscription_id, seq);
create unique index deliveries_stock on deliveries (subscription_id, order_key)
where state = 'waiting' and sku is not null;
comment on column deliveries.xid is 'with outbox_id: where its fact stands in the outbox';
comment on column deliveries.generation is
'grows when the position changes while it waits: what was sent before that is sent again';

create table delivery_attempts (
    attempt_id bigint generated always as identity,
    delivery_id uuid not null,
    attempt int not null,
    attempted_at timestamptz not null default clock_timestamp(),
    status int,
    error text,
    duration_ms real not null,
    changed_xid xid8 not null default pg_current_xact_id(),
    constraint delivery_attempts_pk primary key (delivery_id, attempt_id)
);
