-- Schema hub: where versions of sync rules stand among the facts.

-- Versions are few among many facts: found without reading the outbox.
create index outbox_configs on outbox (event_key) where type = 'config.published';
