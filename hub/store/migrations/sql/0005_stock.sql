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
