-- Schema log: who is named by events of no account, so that an erasure finds them.
create table log.mentions (
    value_hmac uuid not null,
    entity_kind text not null,
    entity_key uuid not null,
    event_key uuid not null,
    log_id bigint not null,
    received_at timestamptz not null default now(),
    occurred_at timestamptz not null,
    constraint mentions_pk primary key (value_hmac, event_key)
);
comment on table log.mentions is
'phones and e-mail addresses (keyed digests) typed for somebody without an account: a guest''s
order, a coupon for a friend';

create table log.forgotten_values (
    value_hmac uuid not null,
    erased_at timestamptz not null,
    constraint forgotten_values_pk primary key (value_hmac)
);
comment on table log.forgotten_values is
'keyed digests of what erased persons had proved to be theirs: events until then that name it and
come late are kept without it';
