-- The outbox: facts for rules, deliveries and subscribers.

-- Announce events of the log that are applied now and never were before.
-- name: announce_again
insert into outbox (
    event_key, type, entity_kind, entity_key, occurred_at, received_at, log_id
)
select
    e.event_key,
    e.type,
    e.entity_kind,
    e.entity_key,
    e.occurred_at,
    now(),
    e.log_id
from log.inbox as i
inner join log.events as e
    on
        i.entity_key = e.entity_key
        and i.log_id = e.log_id
        and i.received_at = e.received_at
where
    i.event_key = any($1::uuid[])
    and not i.is_announced;
