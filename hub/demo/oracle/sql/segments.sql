with

households as (
    select distinct
        member_id,
        split_part(account, '-', 2)::int as household
    from marts.member_identities
    where channel in ('website', 'miniprogram', 'store')
)

select
    h.household,
    m.segment,
    m.holds_from_date as holds_from
from households as h
inner join marts.segments as m on h.member_id = m.member_id
