select
    channel,
    name,
    kind,
    is_active
from marts.channels
where channel in ('website', 'miniprogram', 'store')
