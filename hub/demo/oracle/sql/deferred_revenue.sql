select channel
from marts.deferred_revenue
where channel in ('website', 'miniprogram', 'store')
