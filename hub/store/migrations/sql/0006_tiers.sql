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
