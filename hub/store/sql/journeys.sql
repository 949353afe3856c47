-- The ways of events over all hops.

-- name: events
select
    e.event_key,
    e.event_id,
    e.source,
    e.type,
    e.headers,
    e.body,
    e.sealed_by,
    e.topic,
    e.partition,
    e.kafka_offset,
    e.produced_at,
    e.received_at,
    i.outcome
from log.inbox as i
inner join log.events as e
    on
        i.entity_key = e.entity_key
        and i.log_id = e.log_id
        and i.received_at = e.received_at
where i.event_key = any($1::uuid[])
order by e.log_id;

-- Deliveries about these events, of the subscriptions $2 if any are named, with their attempts.
-- name: told
select
    d.event_key,
    d.delivery_id,
    d.subscription_id,
    d.type as delivery_type,
    d.state,
    d.created_at,
    a.attempted_at,
    a.status,
    a.error,
    a.duration_ms
from deliveries as d
left join delivery_attempts as a on d.delivery_id = a.delivery_id
where
    d.event_key = any($1::uuid[])
    and ($2::uuid[] is null or d.subscription_id = any($2))
order by d.seq, a.attempt_id
limit 1000;
