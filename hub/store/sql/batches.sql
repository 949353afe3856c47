-- Batches of fresh goods.

-- name: named
select
    batch,
    best_before_at,
    on_hand_milli,
    occurred_at,
    movement_id
from stock_movements
where
    sku = $1
    and place = $2
    and batch is not null
    and kind <> all($3::text[]);

-- What came and went without a batch, by the span of time between the cuts $3. Summed by cause
-- first: late events correct what earlier ones did, by movements of the same cause.
-- name: unnamed
with moved as (
    select
        occurred_at,
        sum(on_hand_milli) as on_hand_milli
    from stock_movements
    where
        sku = $1
        and place = $2
        and batch is null
        and on_hand_milli <> 0
        and kind <> all($4::text[])
    group by occurred_at, event_key
)

select
    width_bucket(occurred_at, $3::timestamptz[]) as segment,
    coalesce(sum(on_hand_milli) filter (where on_hand_milli > 0), 0)::bigint as came,
    coalesce(sum(-on_hand_milli) filter (where on_hand_milli < 0), 0)::bigint as went
from moved
group by segment;

-- name: note_position
update stock_positions
set has_batches = true
where
    sku = $1
    and place = $2
    and not has_batches;

-- name: expired
select coalesce(sum(left_milli), 0)::bigint
from stock_batches
where
    sku = $1
    and place = $2
    and best_before_at <= $3;
