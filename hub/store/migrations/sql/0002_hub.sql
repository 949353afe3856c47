-- Schema hub: state, a projection of the log that a replay can rebuild in another schema.
-- Every table carries changed_xid, so that the marts read what committed since their last run.
-- Unqualified names: the migration sets search_path to the schema to fill.

create table channels (
    channel text not null,
    name text not null,
    kind text not null default 'generic',
    is_active boolean not null default true,
    created_at timestamptz not null default now(),
    changed_xid xid8 not null default pg_current_xact_id(),
    constraint channels_pk primary key (channel)
);
create table shops (
    channel text not null,
    shop text not null,
    first_seen_at timestamptz not null default now(),
    changed_xid xid8 not null default pg_current_xact_id(),
    constraint shops_pk primary key (channel, shop)
);

-- Catalog ------------------------------------------------------------------------------------
create table items (
    sku text not null,
    name text not null,
    unit text,
    category text,
    brand text,
    attributes jsonb not null default '{}',
    position_at timestamptz not null,
    position_id uuid not null,
    changed_xid xid8 not null default pg_current_xact_id(),
    constraint items_pk primary key (sku)
);
create table places (
    place text not null,
    name text not null,
    kind text not null,
    attributes jsonb not null default '{}',
    position_at timestamptz not null,
    position_id uuid not null,
    changed_xid xid8 not null default pg_current_xact_id(),
    constraint places_pk primary key (place)
);

-- Members ------------------------------------------------------------------------------------
-- A profile is one account at one channel; a member is a component of profiles that share
-- identifiers.
create table members (
    member_id uuid not null,
    merged_into uuid,
    first_seen_at timestamptz not null,
    changed_xid xid8 not null default pg_current_xact_id(),
    constraint members_pk primary key (member_id)
);
create table profiles (
    profile_id uuid not null,
    channel text not null,
    account text not null,
    member_id uuid not null,
    registered_at timestamptz,
    first_seen_at timestamptz not null,
    personal bytea,
    attributes jsonb not null default '{}',
    said_at jsonb not null default '{}',
    erased_at timestamptz,
    changed_xid xid8 not null default pg_current_xact_id(),
    constraint profiles_pk primary key (profile_id)
);
create index profiles_member on profiles (member_id);
comment on column profiles.personal is
'name and other personal attributes, sealed under the profile''s key';

-- One row a value of an identifier: the node that joins profiles, and the lock that orders merges.
create table identifier_values (
    identifier_type text not null,
    value_hmac uuid not null,
    changed_xid xid8 not null default pg_current_xact_id(),
    constraint identifier_values_pk primary key (identifier_type, value_hmac)
);
create table profile_identifiers (
    profile_id uuid not null,
    identifier_type text not null,
    value_hmac uuid not null,
    proof text not null,
    valid_from timestamptz not null,
    valid_to timestamptz,
    event_key uuid not null,
    scope text not null default '',
    last_shown_at timestamptz not null default now(),
    standing text not null default 'joins',
    changed_xid xid8 not null default pg_current_xact_id(),
    constraint profile_identifiers_pk primary key (profile_id, identifier_type, value_hmac),
    constraint profile_identifiers_proof_known check (proof in ('verified', 'declared')),
    constraint profile_identifiers_standing_known check (
        standing in ('joins', 'review', 'apart', 'closed', 'overused', 'blocked', 'declared')
    )
);
comment on column profile_identifiers.standing is
'what the value does for its profile: whether it joins it with the others who hold it, or why not';
create index profile_identifiers_value on profile_identifiers (identifier_type, value_hmac);
-- History of which member a profile belongs to, with the evidence. Rows are added and closed.
create table member_links (
    link_id uuid not null,
    profile_id uuid not null,
    member_id uuid not null,
    valid_from timestamptz not null,
    valid_to timestamptz,
    reason text not null,
    evidence jsonb not null,
    rule_version text not null,
    event_key uuid not null,
    changed_xid xid8 not null default pg_current_xact_id(),
    constraint member_links_pk primary key (link_id)
);
create index member_links_profile on member_links (profile_id);
-- What people ruled about two profiles: one person, or never to be joined.
create table member_rulings (
    pair_key uuid not null,
    left_profile uuid not null,
    right_profile uuid not null,
    is_one boolean not null,
    reason text,
    ruled_at timestamptz not null,
    event_key uuid not null,
    changed_xid xid8 not null default pg_current_xact_id(),
    constraint member_rulings_pk primary key (pair_key)
);
create index member_rulings_left on member_rulings (left_profile);
create index member_rulings_right on member_rulings (right_profile);
-- The manifest of each merge and un-merge: who was which member before and after, and by what.
create table member_merges (
    merge_id uuid not null,
    kind text not null,
    members_before jsonb not null,
    members_after jsonb not null,
    edges jsonb not null,
    event_keys jsonb not null,
    rule_version text not null,
    merged_at timestamptz not null,
    changed_xid xid8 not null default pg_current_xact_id(),
    constraint member_merges_pk primary key (merge_id),
    constraint member_merges_kind_known check (kind in ('merged', 'split', 'regrouped'))
);
create index member_merges_before on member_merges using gin (members_before);
create index member_merges_after on member_merges using gin (members_after);
create table profile_consents (
    profile_id uuid not null,
    purpose text not null,
    medium text not null,
    is_granted boolean not null,
    changed_at timestamptz not null,
    event_key uuid not null,
    changed_xid xid8 not null default pg_current_xact_id(),
    constraint profile_consents_pk primary key (profile_id, purpose, medium)
);

-- Orders -------------------------------------------------------------------------------------
create table orders (
    order_id uuid not null,
    channel text not null,
    shop text not null,
    order_number text not null,
    profile_id uuid,
    place text,
    currency char(3) not null,
    status text not null,
    payment_status text not null,
    fulfilment_status text not null,
    return_status text not null,
    gross_minor bigint not null,
    discount_minor bigint not null,
    total_minor bigint not null,
    paid_minor bigint not null,
    refunded_minor bigint not null,
    placed_at timestamptz,
    paid_at timestamptz,
    fulfilled_at timestamptz,
    completed_at timestamptz,
    cancelled_at timestamptz,
    event_count int not null,
    first_received_at timestamptz not null,
    changed_xid xid8 not null default pg_current_xact_id(),
    constraint orders_pk primary key (order_id),
    constraint orders_total_is_gross_less_discount check (
        total_minor = gross_minor - discount_minor
    )
);
create index orders_profile on orders (profile_id, placed_at);
create table order_lines (
    order_id uuid not null,
    line text not null,
    sku text not null,
    quantity_milli bigint not null,
    fulfilled_milli bigint not null,
    returned_milli bigint not null,
    unit_price_minor bigint not null,
    gross_minor bigint not null,
    discount_minor bigint not null,
    total_minor bigint not null,
    discounts jsonb,
    changed_xid xid8 not null default pg_current_xact_id(),
    constraint order_lines_pk primary key (order_id, line),
    constraint order_lines_total_is_gross_less_discount check (
        total_minor = gross_minor - discount_minor
    )
);

-- Stock held for an order that is not placed yet; it has the order's id.
create table reservations (
    order_id uuid not null,
    channel text not null,
    shop text not null,
    order_number text not null,
    place text not null,
    -- confirmed: the order was placed and took its place
    status text not null,
    quantities_milli jsonb not null,
    expires_at timestamptz not null,
    first_received_at timestamptz not null,
    changed_xid xid8 not null default pg_current_xact_id(),
    constraint reservations_pk primary key (order_id),
    constraint reservations_status_known check (
        status in ('held', 'committed', 'released', 'expired', 'confirmed')
    )
);
create index reservations_held on reservations (expires_at) where status = 'held';

-- Stock --------------------------------------------------------------------------------------
create table stock_positions (
    sku text not null,
    place text not null,
    on_hand_milli bigint not null,
    committed_milli bigint not null,
    reserved_milli bigint not null default 0,
    unavailable_milli bigint not null default 0,
    counted_at timestamptz,
    counted_by uuid,
    version bigint not null,
    changed_xid xid8 not null default pg_current_xact_id(),
    constraint stock_positions_pk primary key (sku, place)
);
create table stock_movements (
    movement_id uuid not null,
    sku text not null,
    place text not null,
    kind text not null,
    on_hand_milli bigint not null,
    committed_milli bigint not null,
    reserved_milli bigint not null default 0,
    unavailable_milli bigint not null default 0,
    occurred_at timestamptz not null,
    event_key uuid not null,
    order_id uuid,
    changed_xid xid8 not null default pg_current_xact_id(),
    -- Starts with the position, so that one index finds an item's movements and keeps them single.
    constraint stock_movements_pk primary key (sku, place, occurred_at, movement_id)
);

-- Points -------------------------------------------------------------------------------------
create table points_accounts (
    profile_id uuid not null,
    issued_points bigint not null,
    spent_points bigint not null,
    expired_points bigint not null,
    reversed_points bigint not null,
    pending_points bigint not null,
    held_points bigint not null,
    open_points bigint not null,
    debt_points bigint not null,
    settled_at timestamptz not null default 'epoch',
    due_at timestamptz,
    last_used_at timestamptz,
    changed_xid xid8 not null default pg_current_xact_id(),
    constraint points_accounts_pk primary key (profile_id),
    constraint points_accounts_are_conserved check (
        issued_points + debt_points
        = pending_points
        + held_points
        + open_points
        + spent_points
        + expired_points
        + reversed_points
    ),
    constraint points_accounts_hold_no_less_than_nothing check (
        least(pending_points, held_points, open_points, spent_points, expired_points, debt_points)
        >= 0
    )
);
create index points_accounts_due on points_accounts (due_at) where due_at is not null;
comment on column points_accounts.settled_at is
'until when the account''s days are closed: what time opens and ends until then is entered';
comment on column points_accounts.due_at is 'when time alone changes the totals next';
create table points_lots (
    lot_id uuid not null,
    profile_id uuid not null,
    granted_points bigint not null,
    earned_points bigint not null,
    pending_points bigint not null,
    open_points bigint not null,
    expired_points bigint not null,
    earned_at timestamptz not null,
    opens_at timestamptz not null,
    expires_at timestamptz,
    grace_until timestamptz,
    order_id uuid,
    rule_version text not null,
    changed_xid xid8 not null default pg_current_xact_id(),
    constraint points_lots_pk primary key (lot_id),
    -- A lot of a correction downwards holds less than nothing: others stand in for it.
    constraint points_lots_parts_within_earned check (
        least(pending_points, open_points, expired_points) >= 0
        and pending_points + open_points + expired_points <= greatest(earned_points, 0)
    )
);
create index points_lots_profile on points_lots (profile_id);
create table points_entries (
    entry_id uuid not null,
    profile_id uuid not null,
    kind text not null,
    points bigint not null,
    lot_id uuid,
    order_id uuid,
    occurred_at timestamptz not null,
    event_key uuid not null,
    rule_version text not null,
    held_points bigint not null default 0,
    use_id uuid,
    changed_xid xid8 not null default pg_current_xact_id(),
    constraint points_entries_pk primary key (profile_id, occurred_at, entry_id),
    constraint points_entries_kind_known check (
        kind in (
            'earned', 'reversed', 'adjusted', 'expired',
            'spent', 'returned', 'held', 'captured', 'released'
        )
    ),
    constraint points_entries_of_a_spending_name_it check (
        (kind in ('spent', 'returned', 'held', 'captured', 'released')) = (use_id is not null)
    )
);
create index points_entries_uses on points_entries (profile_id) where use_id is not null;
-- Points spent on one order, by the hub's decision or as the channel reported.
create table points_spends (
    spend_id uuid not null,
    channel text not null,
    shop text not null,
    order_number text not null,
    order_id uuid not null,
    profile_id uuid not null,
    held_points bigint not null,
    spent_points bigint not null,
    returned_points bigint not null,
    is_disputed boolean not null,
    event_count int not null,
    first_received_at timestamptz not null,
    changed_xid xid8 not null default pg_current_xact_id(),
    constraint points_spends_pk primary key (spend_id),
    constraint points_spends_return_what_was_spent check (
        returned_points between 0 and spent_points
    )
);
create index points_spends_profile on points_spends (profile_id);
create table points_holds (
    hold_id text not null,
    spend_id uuid not null,
    profile_id uuid not null,
    status text not null,
    points bigint not null,
    captured_points bigint not null,
    placed_at timestamptz not null,
    expires_at timestamptz,
    ended_at timestamptz,
    changed_xid xid8 not null default pg_current_xact_id(),
    constraint points_holds_pk primary key (spend_id, hold_id),
    constraint points_holds_capture_what_is_held check (captured_points between 0 and points),
    constraint points_holds_status_known
    check (status in ('held', 'captured', 'voided', 'expired'))
);
create index points_holds_id on points_holds (hold_id);
create index points_holds_due on points_holds (expires_at) where status = 'held';

-- Coupons ------------------------------------------------------------------------------------
create table coupons (
    coupon_id uuid not null,
    code text not null,
    kind text not null,
    template text,
    channel text not null,
    shop text not null,
    profile_id uuid,
    recipient_phone uuid,
    recipient_email uuid,
    status text not null,
    reason text,
    uses_total int not null,
    uses_redeemed int not null,
    face_value_minor bigint,
    paid_minor bigint,
    owed_minor bigint not null,
    currency char(3),
    terms jsonb not null,
    issued_at timestamptz,
    claimed_at timestamptz,
    transferred_at timestamptz,
    frozen_at timestamptz,
    ended_at timestamptz,
    valid_from timestamptz,
    valid_until timestamptz,
    usable_until timestamptz,
    order_number text,
    event_count int not null,
    first_received_at timestamptz not null,
    changed_xid xid8 not null default pg_current_xact_id(),
    constraint coupons_pk primary key (coupon_id),
    constraint coupons_owe_what_was_paid check (owed_minor between 0 and coalesce(paid_minor, 0))
);
create index coupons_profile on coupons (profile_id);
create index coupons_recipient_phone on coupons (recipient_phone)
where recipient_phone is not null;
create index coupons_recipient_email on coupons (recipient_email)
where recipient_email is not null;
comment on column coupons.recipient_phone is
'keyed digest; who proves this phone (or the e-mail beside it) may claim the coupon';
create table coupon_redemptions (
    coupon_id uuid not null,
    channel text not null,
    shop text not null,
    redemption_id text not null,
    place text,
    profile_id uuid,
    order_number text,
    amount_minor bigint,
    currency char(3),
    revenue_minor bigint not null,
    redeemed_at timestamptz not null,
    reversed_at timestamptz,
    is_accepted boolean not null,
    refusal text,
    event_key uuid not null,
    changed_xid xid8 not null default pg_current_xact_id(),
    constraint coupon_redemptions_pk primary key (coupon_id, channel, shop, redemption_id)
);
create table coupon_reservations (
    coupon_id uuid not null,
    channel text not null,
    shop text not null,
    reservation_id text not null,
    place text,
    profile_id uuid,
    order_number text,
    reserved_at timestamptz not null,
    expires_at timestamptz not null,
    ended_at timestamptz,
    ending text,
    event_key uuid not null,
    changed_xid xid8 not null default pg_current_xact_id(),
    constraint coupon_reservations_pk primary key (coupon_id, channel, shop, reservation_id),
    constraint coupon_reservations_ending_known check (
        ending in ('redeemed', 'released', 'refused')
    )
);

-- Events that wait for another one, while they wait.
create table parked (
    event_key uuid not null,
    entity_kind text not null,
    entity_key uuid not null,
    received_at timestamptz not null,
    waits_for text not null,
    changed_xid xid8 not null default pg_current_xact_id(),
    constraint parked_pk primary key (event_key)
);
create index parked_entity on parked (entity_key);

-- Cases: what needs a person. Opened and closed by state, so that they are part of the digest.
create table cases (
    case_id uuid not null,
    kind text not null,
    object_kind text not null,
    object_key text not null,
    state text not null,
    detail jsonb not null,
    opened_at timestamptz not null,
    closed_at timestamptz,
    changed_xid xid8 not null default pg_current_xact_id(),
    constraint cases_pk primary key (case_id),
    constraint cases_state_known check (state in ('open', 'closed'))
);

-- Outbox: one row for each applied event and each decision, its fact.
create table outbox (
    outbox_id bigint generated always as identity,
    xid xid8 not null default pg_current_xact_id(),
    event_key uuid not null,
    type text not null,
    entity_kind text not null,
    entity_key uuid not null,
    occurred_at timestamptz not null,
    received_at timestamptz not null default now(),
    log_id bigint not null,
    data jsonb,
    -- Readers follow (xid, outbox_id) below the oldest running transaction: ids alone become
    -- visible out of order.
    constraint outbox_pk primary key (xid, outbox_id)
);
