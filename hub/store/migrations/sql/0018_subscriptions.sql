-- Who is told what, and where. Secrets are sealed under the hub's key; while one rotates, two sign.
create table access.subscriptions (
    subscription_id uuid not null,
    channel text,
    label text not null,
    types text [] not null,
    target_url text not null,
    has_own_events boolean not null default false,
    state text not null default 'active',
    reason text,
    sealed_secret bytea not null,
    former_secret bytea,
    former_until timestamptz,
    failures int not null default 0,
    resumes_at timestamptz,
    created_at timestamptz not null default clock_timestamp(),
    constraint subscriptions_pk primary key (subscription_id),
    constraint subscriptions_state_known check (state in ('active', 'paused', 'disabled', 'ended'))
);
comment on column access.subscriptions.resumes_at is
'the receiver was away: nothing is sent before this, and then one delivery to see';
