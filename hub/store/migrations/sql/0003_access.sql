-- Keys of the API, and who may read what.

create schema if not exists access;
create table access.api_keys (
    key_prefix text not null,
    key_digest bytea not null,
    channel text,
    scopes text[] not null,
    label text not null,
    created_at timestamptz not null default now(),
    last_used_at timestamptz,
    revoked_at timestamptz,
    constraint api_keys_pk primary key (key_prefix)
);
create table access.replays (
    replay_id uuid not null,
    started_at timestamptz not null default now(),
    ended_at timestamptz,
    events bigint,
    differences jsonb,
    swapped boolean not null default false,
    constraint replays_pk primary key (replay_id)
);
create table access.check_runs (
    invariant text not null,
    proof text not null,
    ran_at timestamptz not null default now(),
    violations bigint not null,
    sample jsonb not null default '[]',
    constraint check_runs_pk primary key (invariant, ran_at)
);
-- Answers of commands, so that one sent again is answered and not done again. The row is written in
-- the command's own transaction.
create table access.commands (
    key_prefix text not null,
    idempotency_key text not null,
    request_digest bytea not null,
    answer jsonb,
    made_at timestamptz not null default now(),
    constraint commands_pk primary key (key_prefix, idempotency_key)
);
create index commands_made_at on access.commands using brin (made_at);

create schema if not exists staging authorization hub_dbt;
create schema if not exists intermediate authorization hub_dbt;
create schema if not exists marts authorization hub_dbt;
