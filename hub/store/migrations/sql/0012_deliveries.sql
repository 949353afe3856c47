-- Schema hub: how far the readers of the outbox have come.

create table outbox_readers (
    reader text not null,
    xid xid8 not null,
    outbox_id bigint not null,
    updated_at timestamptz not null default now(),
    changed_xid xid8 not null default pg_current_xact_id(),
    constraint outbox_readers_pk primary key (reader)
);
comment on table outbox_readers is
'one row a reader: the last fact that it has done with, in the order of (xid, outbox_id)';
