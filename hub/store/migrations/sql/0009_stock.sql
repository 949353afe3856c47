-- Schema hub: bundles, the places of shops, and items that are not known yet.

-- What bundles consist of: each version that was told, added and never changed.
create table item_components (
    event_key uuid not null,
    sku text not null,
    components jsonb not null,
    said_at timestamptz not null,
    changed_xid xid8 not null default pg_current_xact_id(),
    constraint item_components_pk primary key (event_key)
);
create index item_components_sku on item_components (sku, said_at);
comment on column item_components.components is
'(sku, thousandths in one unit) of each component; empty for what is no bundle';

-- What lines of orders take of stock where that is not their own item.
create table order_line_stock (
    order_id uuid not null,
    line text not null,
    sku text not null,
    components jsonb not null,
    placed_at timestamptz not null,
    changed_xid xid8 not null default pg_current_xact_id(),
    constraint order_line_stock_pk primary key (order_id, line)
);
create index order_line_stock_sku on order_line_stock (sku, placed_at);
comment on column order_line_stock.components is
'thousandths in one unit of the line by item; empty while its item waits to be described';

-- Orders are found by time where configuration changes for a time that has begun.
create index orders_placed on orders using brin (placed_at);

-- Batches of fresh goods: what is left of each, told from the movements.
alter table stock_movements add column batch text;
alter table stock_movements add column best_before_at timestamptz;
create index stock_movements_batch on stock_movements (sku, place) where batch is not null;
create table stock_batches (
    sku text not null,
    place text not null,
    batch text not null,
    best_before_at timestamptz,
    left_milli bigint not null,
    changed_xid xid8 not null default pg_current_xact_id(),
    constraint stock_batches_pk primary key (sku, place, batch),
    constraint stock_batches_hold_no_less_than_nothing check (left_milli >= 0)
);
alter table stock_positions add column has_batches boolean not null default false;
-- Which of two counts of the same moment is the newer one.
alter table stock_positions add column counted_sequence bigint not null default -1;
