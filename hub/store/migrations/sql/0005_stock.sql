-- Schema hub: what stock gained after the spine.

-- What is on its way to a place, and has not arrived.
alter table stock_positions add column incoming_milli bigint not null default 0;
alter table stock_movements add column incoming_milli bigint not null default 0;

-- An item on its way to a place; the sums of what was told of it.
create table stock_transfers (
    transfer_key uuid not null,
    transfer_id text not null,
    sku text not null,
    to_place text not null,
    dispatched_milli bigint not null,
    arrived_milli bigint not null,
    lost_milli bigint not null,
    changed_xid xid8 not null default pg_current_xact_id(),
    constraint stock_transfers_pk primary key (transfer_key)
);

-- What is kept of a stock item for a channel (session is empty) or a live session of it: what the
-- hub wants, and what the channel confirms.
create table allotments (
    allotment_key uuid not null,
    channel text not null,
    session text not null,
    sku text not null,
    place text not null,
    target_milli bigint not null default 0,
    buffer_milli bigint not null default 0,
    set_at timestamptz,
    set_by uuid,
    confirmed_milli bigint,
    confirmed_at timestamptz,
    confirmed_by uuid,
    held_milli bigint not null default 0,
    is_stale boolean not null default false,
    changed_xid xid8 not null default pg_current_xact_id(),
    constraint allotments_pk primary key (allotment_key),
    constraint allotments_hold_no_less_than_nothing check (held_milli >= 0)
);
create index allotments_stock on allotments (sku, place);
create index allotments_session on allotments (channel, session) where session <> '';
comment on column allotments.held_milli is 'what is kept from others now, the buffer included';
comment on column allotments.is_stale is 'all that is kept of the item is more than is available';
create table live_sessions (
    session_key uuid not null,
    channel text not null,
    session text not null,
    opened_at timestamptz,
    closed_at timestamptz,
    changed_xid xid8 not null default pg_current_xact_id(),
    constraint live_sessions_pk primary key (session_key)
);
alter table stock_positions add column allotted_milli bigint;
comment on column stock_positions.allotted_milli is
'what is kept for channels and live sessions; null where nothing ever was';
