select
    i.channel,
    i.account,
    count(*) as current_count,
    bool_and(m.member_id = i.member_id) as is_to_its_member
from marts.member_links as m
inner join marts.member_identities as i on m.profile_id = i.profile_id
where
    m.is_current
    and i.channel in ('website', 'miniprogram', 'store')
group by i.channel, i.account
