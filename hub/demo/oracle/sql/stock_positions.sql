select
    sku::bigint as sku,
    place::int as place,
    (on_hand_quantity * 1000)::bigint as on_hand_milli,
    (committed_quantity * 1000)::bigint as committed_milli,
    (reserved_quantity * 1000)::bigint as reserved_milli,
    (unavailable_quantity * 1000)::bigint as unavailable_milli,
    (available_quantity * 1000)::bigint as available_milli,
    extract(epoch from counted_at)::bigint as counted_s
from marts.stock_positions
where place ~ '^[0-9]+$'
