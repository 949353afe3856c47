select
    channel,
    type,
    sum(received_count)::bigint as received,
    sum(applied_count)::bigint as applied,
    sum(ignored_count)::bigint as ignored,
    sum(parked_count)::bigint as parked,
    sum(dead_letter_count)::bigint as dead_letter
from marts.channel_sync
where channel in ('website', 'miniprogram', 'store')
group by channel, type
