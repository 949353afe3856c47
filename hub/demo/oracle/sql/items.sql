select
    sku::bigint as sku,
    name,
    unit,
    category,
    brand
from marts.items
where sku ~ '^[0-9]+$'
