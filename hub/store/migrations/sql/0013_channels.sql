-- Secrets of channels, sealed under the hub's key. While one rotates, two live.
create table access.channel_secrets (
    secret_id uuid not null,
    channel text not null,
    name text not null,
    sealed bytea not null,
    made_at timestamptz not null default clock_timestamp(),
    retires_at timestamptz,
    constraint channel_secrets_pk primary key (secret_id)
);
create index channel_secrets_channel on access.channel_secrets (channel, name, made_at);
-- Pushes that wait for a mended pack are found by their channel.
create index dead_letters_inbound on log.dead_letters (source text_pattern_ops)
where state = 'open' and topic = 'channel.inbound.v1';
