-- Schema hub: what orders gained after the spine.

alter table orders add column is_sale boolean not null default true;
comment on column orders.is_sale is
'false for a report of another system''s order, and for one that was split into children';

alter table order_lines add column stock_sku text;
comment on column order_lines.stock_sku is
'the stock item it takes where that is not its own: the slot''s for what is made to order; or none';

-- What few orders have: how they are paid for, picked up, split, called off in part.
create table order_details (
    order_id uuid not null,
    parent_id uuid,
    origin_id uuid,
    tenders jsonb,
    tendered_minor bigint not null,
    is_paid_on_delivery boolean not null,
    deposit_kind text,
    deposit_minor bigint,
    balance_due_at timestamptz,
    forfeited_minor bigint not null,
    compensated_minor bigint not null,
    refunding_minor bigint not null,
    paid_late_minor bigint not null,
    slot_from timestamptz,
    slot_until timestamptz,
    cut_off timestamptz,
    session_id text,
    anchor text,
    cancelled_milli jsonb,
    received_at timestamptz,
    no_show_at timestamptz,
    changed_xid xid8 not null default pg_current_xact_id(),
    constraint order_details_pk primary key (order_id)
);
create index order_details_origin on order_details (origin_id) where origin_id is not null;
create index order_details_due on order_details (balance_due_at) where balance_due_at is not null;

-- Which orders were ever named as part of which: a parent is no sale of its own.
create table order_children (
    parent_id uuid not null,
    order_id uuid not null,
    changed_xid xid8 not null default pg_current_xact_id(),
    constraint order_children_pk primary key (parent_id, order_id)
);
-- Orders that were called off or refunded in full: what was used for them returns.
create table orders_over (
    order_id uuid not null,
    over_at timestamptz not null,
    changed_xid xid8 not null default pg_current_xact_id(),
    constraint orders_over_pk primary key (order_id)
);
create table order_refunds (
    order_id uuid not null,
    refund_id text not null,
    kind text not null,
    status text not null,
    amount_minor bigint not null,
    points bigint not null,
    lines jsonb,
    aftersale_id text,
    asked_at timestamptz not null,
    ended_at timestamptz,
    changed_xid xid8 not null default pg_current_xact_id(),
    constraint order_refunds_pk primary key (order_id, refund_id),
    constraint order_refunds_status_known check (status in ('processing', 'succeeded', 'failed'))
);
create table aftersales (
    order_id uuid not null,
    aftersale_id text not null,
    kind text not null,
    status text not null,
    quantities_milli jsonb,
    amount_minor bigint,
    requested_at timestamptz not null,
    ended_at timestamptz,
    changed_xid xid8 not null default pg_current_xact_id(),
    constraint aftersales_pk primary key (order_id, aftersale_id),
    constraint aftersales_status_known check (
        status in ('requested', 'approved', 'rejected', 'closed', 'exchanged')
    )
);
-- The platform's bill of a payment.
create table order_settlements (
    order_id uuid not null,
    payment_id text not null,
    amount_minor bigint not null,
    fee_minor bigint not null,
    commission_minor bigint not null,
    subsidy_minor bigint not null,
    changed_xid xid8 not null default pg_current_xact_id(),
    constraint order_settlements_pk primary key (order_id, payment_id)
);

-- What was spent and used on one order, for its timeline.
create index points_spends_order on points_spends (order_number, channel, shop);
create index coupon_redemptions_order on coupon_redemptions (order_number, channel, shop)
where order_number is not null;
