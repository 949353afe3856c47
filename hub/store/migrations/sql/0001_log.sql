-- Schema log: everything as it came. Append-only but for outcomes and the state of a dead letter.

create schema if not exists log;

-- One row an event identity (source, id). Unpartitioned, since Postgres refuses a unique key
-- without the partition column. event_key is the 128-bit digest of (source, id).
create table log.inbox (
    event_key uuid not null,
    entity_key uuid not null,
    log_id bigint not null,
    received_at timestamptz not null default now(),
    payload_hash uuid not null,
    outcome text not null,
    reason text,
    waits_for text,
    -- Whether the outbox has its fact: a late event may take an effect back and bring it again.
    is_announced boolean not null,
    changed_xid xid8 not null default pg_current_xact_id(),
    constraint inbox_pk primary key (event_key),
    constraint inbox_outcome_known check (outcome in ('applied', 'ignored', 'parked'))
);

-- The event itself, partitioned by the time it was received. The key starts with the entity, since
-- the state of an entity is a fold over its own events.
create sequence log.log_id_seq as bigint;
create table log.events (
    log_id bigint not null,
    received_at timestamptz not null default now(),
    entity_kind text not null,
    entity_key uuid not null,
    event_key uuid not null,
    source text not null,
    event_id text not null,
    type text not null,
    occurred_at timestamptz not null,
    sequence bigint,
    topic text not null,
    partition int not null,
    kafka_offset bigint not null,
    produced_at timestamptz not null,
    kafka_key bytea,
    headers jsonb,
    body bytea not null,
    sealed_by uuid,
    constraint events_pk primary key (entity_key, log_id, received_at)
) partition by range (received_at);
create index events_log_id on log.events using brin (log_id) with (pages_per_range = 32);
create index events_sealed_by on log.events (sealed_by) where sealed_by is not null;
comment on column log.events.body is
'the bytes as they came; where they carry personal fields, encrypted under the key of sealed_by';

create table log.events_rest partition of log.events default;

-- Makes the monthly partitions from last month to p_months ahead; safe to call at any time.
create function log.make_partitions(p_months int) returns int language plpgsql as $$
declare
    made int := 0;
    first_day date;
    partition_name text;
begin
    for i in -1..p_months loop
        first_day := (date_trunc('month', now() at time zone 'UTC') + make_interval(months => i))::date;
        partition_name := 'events_' || to_char(first_day, 'YYYY_MM');
        if to_regclass('log.' || partition_name) is null then
            execute format(
                'create table log.%I partition of log.events for values from (%L) to (%L)',
                partition_name,
                first_day::text || ' 00:00:00+00',
                (first_day + interval '1 month')::date::text || ' 00:00:00+00'
            );
            made := made + 1;
        end if;
    end loop;
    return made;
end $$;
select log.make_partitions(3);

create table log.offsets (
    consumer_group text not null,
    topic text not null,
    partition int not null,
    next_offset bigint not null,
    cluster_id text not null,
    updated_at timestamptz not null default now(),
    constraint offsets_pk primary key (consumer_group, topic, partition)
);

-- What could not be decoded or decided: the original record and the reason, until redriven.
create table log.dead_letters (
    dead_letter_id uuid not null,
    received_at timestamptz not null default now(),
    topic text not null,
    partition int not null,
    kafka_offset bigint not null,
    kafka_key bytea,
    headers jsonb,
    body bytea,
    source text,
    event_id text,
    type text,
    reason_code text not null,
    reason text not null,
    field text,
    state text not null default 'open',
    redriven_at timestamptz,
    redriven_by text,
    changed_xid xid8 not null default pg_current_xact_id(),
    constraint dead_letters_pk primary key (dead_letter_id),
    constraint dead_letters_state_known check (state in ('open', 'redriven', 'dismissed'))
);
create index dead_letters_open on log.dead_letters (received_at) where state = 'open';
create index dead_letters_event on log.dead_letters (event_id, source) where event_id is not null;

-- The data key of each person's account, wrapped by the hub's master key. Dropping it erases.
create table log.profile_keys (
    profile_id uuid not null,
    wrapped_key bytea not null,
    created_at timestamptz not null default now(),
    constraint profile_keys_pk primary key (profile_id)
);

-- What became of a person's data in each store when the person was erased: the certificate.
create table log.erasures (
    event_key uuid not null,
    profile_id uuid not null,
    erased_at timestamptz not null,
    certified_at timestamptz not null default now(),
    results jsonb not null,
    constraint erasures_pk primary key (event_key)
);
create index erasures_profile on log.erasures (profile_id);

-- How many records of each kind one stream write saw, for the live figures (not for state).
create table log.writes (
    written_at timestamptz not null default clock_timestamp(),
    worker text not null,
    topic text not null,
    events int not null,
    applied int not null,
    ignored int not null,
    parked int not null,
    dead_letters int not null,
    duplicates int not null,
    duration_ms real not null,
    oldest_produced_at timestamptz
);
create index writes_written_at on log.writes using brin (written_at);
