select
    place::int as place,
    name,
    kind
from marts.places
where place ~ '^[0-9]+$'
