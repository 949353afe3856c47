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
