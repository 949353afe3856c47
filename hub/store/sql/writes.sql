-- Figures of stream writes.

-- name: note
insert into log.writes (
    worker, topic, events, applied, ignored, parked, dead_letters, duplicates, duration_ms,
    oldest_produced_at
)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10);
