-- Schema hub: a store lists what waits there for its customers.
create index orders_place on orders (place, placed_at);
