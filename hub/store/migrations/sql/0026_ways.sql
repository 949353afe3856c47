-- Who is told of an event, for its way over all hops.
create index deliveries_event on deliveries (event_key);
