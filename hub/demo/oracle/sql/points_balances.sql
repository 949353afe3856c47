select
    i.channel,
    i.account,
    m.balance_points as balance,
    m.issued_points as issued,
    m.open_points as open,
    m.spent_points as spent,
    m.expired_points as expired,
    m.reversed_points as reversed,
    m.pending_points as pending,
    m.held_points as held,
    m.debt_points as debt
from marts.points_balances as m
inner join marts.member_identities as i on m.profile_id = i.profile_id
where
    i.channel in ('website', 'miniprogram', 'store')
    and m.issued_points != 0
