select channel
from marts.live_sessions
where channel in ('website', 'miniprogram', 'store')
