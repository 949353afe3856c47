-- Schema access: no state of the hub's, so no replay makes it and no export shows it.
create table access.platform_tokens (
    channel text not null,
    sealed bytea,
    lives_until timestamptz,
    renews_at timestamptz,
    leased_until timestamptz,
    constraint platform_tokens_pk primary key (channel)
);
comment on table access.platform_tokens is
'the access token of a channel''s platform, sealed; who holds the lease gets it anew for all';

create table access.platform_calls (
    channel text not null,
    free_at timestamptz not null,
    constraint platform_calls_pk primary key (channel)
);
comment on table access.platform_calls is
'when the next call to a channel''s platform may be made: calls are spaced by its rate limit';

create table access.platform_polls (
    channel text not null,
    poll text not null,
    read_until timestamptz not null,
    due_at timestamptz not null default clock_timestamp(),
    owner uuid,
    leased_until timestamptz,
    polled_at timestamptz,
    messages bigint not null default 0,
    error text,
    constraint platform_polls_pk primary key (channel, poll)
);
comment on table access.platform_polls is
'up to which time a list of a channel''s platform was read; who holds the lease reads on';
