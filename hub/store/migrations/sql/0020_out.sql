-- Schema hub: what the way out looks up.

-- Which positions a write changed. Movements are added one after the other: this costs little.
create index stock_movements_changed on stock_movements (changed_xid);

-- What a channel in shadow would be told is kept beside the rest, and never sent.
alter table deliveries drop constraint deliveries_state_known;
alter table deliveries add constraint deliveries_state_known
check (state in ('waiting', 'delivered', 'failed', 'shadow'));
create unique index deliveries_stock_shadow on deliveries (subscription_id, order_key)
where state = 'shadow' and sku is not null;
-- What ended long ago is forgotten.
create index deliveries_ended on deliveries (ended_at) where state <> 'waiting';
comment on column delivery_attempts.attempted_at is 'when it was sent, not when it was answered';
