-- Schema hub: what tiers gained after the spine.

-- Growth: what raises a tier. Entries are only ever added.
create table growth_entries (
    entry_id uuid not null,
    profile_id uuid not null,
    kind text not null,
    growth bigint not null,
    amount_minor bigint,
    currency char(3),
    order_id uuid,
    occurred_at timestamptz not null,
    event_key uuid not null,
    rule_version text not null,
    changed_xid xid8 not null default pg_current_xact_id(),
    constraint growth_entries_pk primary key (profile_id, occurred_at, entry_id),
    constraint growth_entries_kind_known check (kind in ('earned', 'reversed', 'granted')),
    constraint growth_entries_of_money_name_their_order check (
        (amount_minor is null) = (order_id is null)
        and (currency is null) = (order_id is null)
    )
);
comment on column growth_entries.amount_minor is
'what was paid (above 0) or refunded (below 0) with it';

-- Until when the levels of an account were told by decision.
create table tier_reviews (
    profile_id uuid not null,
    scheme text not null,
    reviewed_at timestamptz not null,
    changed_xid xid8 not null default pg_current_xact_id(),
    constraint tier_reviews_pk primary key (profile_id, scheme)
);

-- The level of each member in each scheme: told from growth, versions of the scheme and reviews.
create table member_tiers (
    member_id uuid not null,
    scheme text not null,
    level text,
    since_at timestamptz,
    valid_until timestamptz,
    value bigint,
    scheme_version int not null,
    due_at timestamptz,
    has_gifts_due boolean not null,
    changed_xid xid8 not null default pg_current_xact_id(),
    constraint member_tiers_pk primary key (member_id, scheme)
);
create index member_tiers_due on member_tiers (due_at) where due_at is not null;
create index member_tiers_gifts_due on member_tiers (member_id) where has_gifts_due;
comment on column member_tiers.due_at is 'when time alone changes the level next';
create table tier_changes (
    member_id uuid not null,
    scheme text not null,
    number int not null,
    changed_at timestamptz not null,
    level_before text,
    level text,
    cause text not null,
    event_key uuid,
    scheme_version int not null,
    changed_xid xid8 not null default pg_current_xact_id(),
    constraint tier_changes_pk primary key (member_id, scheme, number)
);

-- Coupons for levels that were reached, one for a level and its period of validity.
create table tier_gifts (
    profile_id uuid not null,
    scheme text not null,
    level text not null,
    reached_at timestamptz not null,
    valid_until timestamptz,
    code text not null,
    issued_at timestamptz not null,
    recalled_at timestamptz,
    changed_xid xid8 not null default pg_current_xact_id(),
    constraint tier_gifts_pk primary key (profile_id, scheme, level, reached_at),
    constraint tier_gifts_code_is_unique unique (code)
);

-- Whose points a spending used besides the spender's: who bears them depends on who is one member.
create table points_shares (
    spend_id uuid not null,
    profile_id uuid not null,
    changed_xid xid8 not null default pg_current_xact_id(),
    constraint points_shares_pk primary key (spend_id, profile_id)
);
create index points_shares_profile on points_shares (profile_id);

-- What refunds of an order give back of the points that were spent on it.
create table points_refunded (
    spend_id uuid not null,
    event_key uuid not null,
    points bigint not null,
    returned_at timestamptz not null,
    changed_xid xid8 not null default pg_current_xact_id(),
    constraint points_refunded_pk primary key (spend_id, event_key)
);
