select sold_channel as channel
from marts.cross_store_clearing
where sold_channel in ('website', 'miniprogram', 'store')
