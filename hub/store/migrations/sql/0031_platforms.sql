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
