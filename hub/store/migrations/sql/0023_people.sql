-- People who log in to the console, their sessions, and logins that failed. A person's name of
-- login is its id for good: decisions and the audit name it, so people are disabled, not deleted.
create table access.people (
    person_id text not null,
    name text not null,
    role text not null,
    place text,
    password_hash text not null,
    created_at timestamptz not null default now(),
    last_login_at timestamptz,
    disabled_at timestamptz,
    constraint people_pk primary key (person_id),
    constraint people_id_form check (person_id ~ '^[a-z0-9][a-z0-9._-]{0,63}$'),
    constraint people_clerk_has_a_place check ((role = 'clerk') = (place is not null))
);
comment on column access.people.password_hash is 'scrypt$N$r$p$salt$digest, in base64';

create table access.sessions (
    session_digest bytea not null,
    person_id text not null,
    opened_at timestamptz not null default now(),
    seen_at timestamptz not null default now(),
    closed_at timestamptz,
    constraint sessions_pk primary key (session_digest),
    constraint sessions_person foreign key (person_id) references access.people (person_id)
);
create index sessions_by_person on access.sessions (person_id) where closed_at is null;
create index sessions_opened_at on access.sessions (opened_at);

-- What was typed as a name may be anything, a password too: only its keyed digest is kept.
create table access.login_failures (
    login_digest bytea not null,
    failed_at timestamptz not null default now()
);
create index login_failures_by_login on access.login_failures (login_digest, failed_at);
create index login_failures_by_time on access.login_failures (failed_at);
